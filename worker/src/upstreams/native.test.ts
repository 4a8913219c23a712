/** What our backend is sent, and how often. */
import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk/protocol'
import { describe, expect, test, vi } from 'vitest'
import { drafts, fakeBackend } from '../../test/fake-backend.ts'
import type { Reply } from '../../test/fake-backend.ts'
import { end, play } from '../../test/play.ts'
import { fixedController } from '../lookahead/controller.ts'
import type { Cycle } from '../lookahead/controller.ts'
import { cycle } from '../lookahead/index.ts'
import type { Upstream } from '../lookahead/index.ts'
import { nativeUpstream } from './native.ts'

const ar = { lookahead: { mode: 'ar' as const } }

async function collect(
  upstream: Upstream,
  request: RunRequestInput,
  signal = new AbortController().signal,
): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of cycle(upstream, parseRequest(RunRequest, request), { runId: 'r', signal }))
    events.push(event)
  return events
}

describe('a call', () => {
  test.each([400, 401, 404, 500])('refused with %i is not repeated', async (status) => {
    expect((await play([{ status, code: 'x' }, end], ar)).calls).toHaveLength(1)
  })

  test.each([
    [429, 'x'],
    [502, 'x'],
    [503, 'x'],
    [409, 'context_busy'],
  ])('refused with %i %s is repeated', async (status, code) => {
    expect((await play([{ status, code, retryAfter: 0 }, end], ar)).calls).toHaveLength(2)
  })

  test('that never reached the backend is repeated', async () => {
    await using fake = await fakeBackend([end])
    let failures = 1
    const fetch: typeof globalThis.fetch = (...call) =>
      failures-- > 0 ? Promise.reject(new TypeError('connection refused')) : globalThis.fetch(...call)
    const events = await collect(nativeUpstream({ baseURL: fake.url, fetch }), { prompt: 'x', ...ar })
    expect(events.at(-1)).toMatchObject({ type: 'run.completed' })
  })

  describe('waits before it is repeated', () => {
    /** What was waited for before every try but the first, in milliseconds; a text that has not begun waits for 20 s in all. */
    async function waits(headers: Record<string, string>): Promise<number[]> {
      vi.useFakeTimers()
      try {
        const at: number[] = []
        const fetch = (_: unknown, init?: RequestInit): Promise<Response> => {
          if (init?.method === 'POST') at.push(Date.now())
          return Promise.resolve(new Response('{}', { status: 503, headers }))
        }
        const running = collect(nativeUpstream({ baseURL: 'http://backend.test', fetch }), { prompt: 'x', ...ar })
        await vi.runAllTimersAsync()
        expect((await running).at(-1)).toMatchObject({ type: 'run.failed' })
        return at.slice(1).map((time, i) => time - at[i]!)
      } finally {
        vi.useRealTimers()
      }
    }

    test('as long as the backend asks', async () => {
      expect(await waits({ 'retry-after': '3' })).toEqual([3000, 3000, 3000, 3000, 3000, 3000])
    })

    test('but not for ever', async () => {
      expect(await waits({ 'retry-after': '3600' })).toEqual([5000, 5000, 5000, 5000])
    })

    test('and longer each time, where it does not say', async () => {
      const all = [200, 400, 800, 1600, 3200, 5000, 5000]
      expect(await waits({})).toEqual(all)
      expect(await waits({ 'retry-after': 'soon' })).toEqual(all)
    })

    test('and longer each time too, where it says at once', async () => {
      expect((await waits({ 'retry-after': '0' })).slice(0, 3)).toEqual([20, 40, 80])
    })
  })
})

describe('the backend hears', () => {
  test('its token with every call, and nothing of it where there is none', async () => {
    const seen: [string, string | null][] = []
    const fetch: typeof globalThis.fetch = (input, init) => {
      const { pathname } = new URL(input as string)
      seen.push([`${init?.method} ${pathname}`, new Headers(init?.headers).get('authorization')])
      return Promise.resolve(new Response('{}', { status: 500 }))
    }
    for (const token of ['secret', undefined])
      await collect(nativeUpstream({ baseURL: 'http://backend.test/', token, fetch }), { prompt: 'x' })
    const paths = ['POST /v1/draft', 'POST /v1/verify', 'DELETE /v1/contexts/r']
    expect(seen).toEqual([...paths.map((path) => [path, 'Bearer secret']), ...paths.map((path) => [path, null])])
  })

  test('that a run is given up, unless it is complete', async () => {
    const released = async (script: Reply[]): Promise<string[]> => {
      await using fake = await fakeBackend(script)
      await collect(nativeUpstream({ baseURL: fake.url }), { prompt: 'x', ...ar })
      return fake.released
    }
    expect(await released([end])).toEqual([])
    expect(await released([{ status: 500, code: 'x' }])).toEqual(['/v1/contexts/r'])
  })

  test('the request’s own settings, in both calls', async () => {
    const settings = { sampling: { temperature: 0.3, top_p: 0.8, seed: 5 }, stop: ['END'] }
    const { calls } = await play([drafts('a\n\n'), end], {
      ...settings,
      max_tokens: 77,
      lookahead: { depth: 3, verifier: 'exact', threshold: 0.4 },
    })
    expect(calls[0]!.body).toMatchObject({ depth: 3, sampling: settings.sampling })
    expect(calls[1]!.body).toMatchObject({ ...settings, verifier: 'exact', threshold: 0.4, max_tokens: 77 })
  })

  test('how the text is cut into steps, and how tokens are guessed and drawn; nothing of it where the request says nothing', async () => {
    const lookahead = { steps: { sentences: true, answer: { max_tokens: 7 } }, tokens: { ngram: 3 }, coupled: false }
    const asked = await play([drafts('a\n\n'), end], { lookahead })
    const steps = {
      delimiters: ['\n\n'],
      sentences: true,
      max_tokens: 100,
      half_steps: 'reject',
      answer: { max_tokens: 7 },
    }
    expect(asked.calls.map(({ body }) => body['step_rules'])).toEqual([steps, steps])
    expect(asked.calls[1]!.body).toMatchObject({ speculation: { drafted: true, ngram: 3, draft: 16 }, coupled: false })
    const silent = await play([drafts('a\n\n'), end])
    for (const { body } of silent.calls) expect(Object.keys(body)).not.toContain('step_rules')
    expect(Object.keys(silent.calls[1]!.body)).not.toContain('coupled')
  })

  test('the steps as they were drafted, by id and text', async () => {
    const { calls } = await play([drafts('a\n\n', 'b\n\n'), end])
    expect(calls[1]!.body['steps']).toEqual([
      { id: 's0', text: 'a\n\n' },
      { id: 's1', text: 'b\n\n' },
    ])
  })
})

test('of each call the run learns the way there and back, beside what the backend says that it worked', async () => {
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  try {
    const learned: (number | undefined)[] = []
    const plan = fixedController({ mode: 'lr', depth: 1 }).next()
    const controller = { next: () => plan, observe: ({ ms }: Cycle) => void learned.push(ms) }
    const fetch: typeof globalThis.fetch = (input, init) => {
      now += (input as string).endsWith('/v1/draft') ? 40 : 500
      return globalThis.fetch(input, init)
    }
    await play([drafts('a\n\n'), end], {}, { controller, fetch })
    // A draft call worked 1 ms; a verification 1 ms with the draft and 1 ms with the target.
    expect(learned).toEqual([543])
  } finally {
    vi.restoreAllMocks()
  }
})
