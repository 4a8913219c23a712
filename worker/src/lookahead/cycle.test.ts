/** What the cycle asks of the backend, how often, and what it learns from the answers. */
import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { commits, context, drafts, fakeBackend } from '../../test/fake-backend.ts'
import type { Reply } from '../../test/fake-backend.ts'
import { end, play } from '../../test/play.ts'
import { nativeUpstream } from '../upstreams/native.ts'
import { AdaptiveController, fixedController } from './controller.ts'
import type { Cycle } from './controller.ts'
import { cycle } from './cycle.ts'
import type { Upstream } from './upstream.ts'

afterEach(() => vi.restoreAllMocks())

const ar = { lookahead: { mode: 'ar' as const } }
/** A verify call that commits one step of so many tokens. */
const step = (tokens: number) => {
  const text = 'a\n\n'
  return commits([], { text, tokens: Array.from({ length: tokens }, (_, i) => i), correction: text })
}

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

describe('what a run teaches', () => {
  async function lessons(script: Reply[]): Promise<Cycle[]> {
    const learned: Cycle[] = []
    const { next } = fixedController({ mode: 'lr+sd', depth: 2 })
    await play(script, {}, { controller: { next, observe: (lesson) => void learned.push(lesson) } })
    return learned
  }

  test('every cycle but the last: what was drafted, accepted and committed', async () => {
    const rulings: [boolean, string][] = [
      [true, 'judge'],
      [false, 'judge'],
    ]
    const first = commits(rulings, { text: 'a\n\nB\n\n', tokens: [1, 2, 3, 4, 5, 6], correction: 'B\n\n' })
    const several = commits([], { text: 'c\n\nd\n\ne\n\n', tokens: [7, 8], correction: 'c\n\nd\n\ne\n\n' })
    const cycles = await lessons([drafts('a\n\n', 'b\n\n'), first, drafts('c\n\n'), several, drafts('e\n\n'), end])
    expect(cycles).toEqual([
      { drafted: 2, accepted: 1, steps: 2, tokens: 6, ms: expect.any(Number) },
      { drafted: 1, accepted: 0, steps: 3, tokens: 2, ms: expect.any(Number) },
    ])
  })

  test('nothing, where the first cycle is the last', async () => {
    expect(await lessons([drafts('a\n\n'), end])).toEqual([])
  })

  test('the time of the first cycle counts only where the prompt is no longer than what it wrote', async () => {
    // The fake backend's prompts have 5 tokens.
    const known = (cycles: Cycle[]) => cycles.map(({ ms }) => ms !== undefined)
    expect(known(await lessons([drafts('a\n\n'), step(4), drafts('b\n\n'), step(4), drafts('c\n\n'), end]))).toEqual([
      false,
      true,
    ])
    expect(known(await lessons([drafts('a\n\n'), step(5), drafts('b\n\n'), end]))).toEqual([true])
  })

  test('time: drafting and verifying together', async () => {
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const work = { draftMs: 0, targetMs: 0, judgeMs: 0, forwards: 1, proposed: 0, accepted: 0 }
    const channels = { thinking: false, after_tag: false, partial_tag: '' }
    const texts = ['a\n\n', 'end']
    const upstream: Upstream = {
      open: () => ({
        async *draft() {
          now += 60
          yield { type: 'step', id: String(now), index: 0, text: 'x\n\n' }
        },
        async *verify() {
          now += 100
          const text = texts.shift()!
          yield { type: 'opened', promptTokens: 1, channels }
          yield {
            type: 'commit',
            accepted: 0,
            text,
            tokens: 2,
            correction: text,
            finish: text === 'end' ? 'stop' : undefined,
          }
          yield { type: 'done', work }
        },
        release: () => Promise.resolve(),
      }),
    }
    const learned: Cycle[] = []
    const { next } = fixedController({ mode: 'lr', depth: 1 })
    const controller = { next, observe: (lesson: Cycle) => void learned.push(lesson) }
    const options = { runId: 'r', signal: new AbortController().signal, controller }
    for await (const _ of cycle(upstream, parseRequest(RunRequest, { prompt: 'x' }), options));
    expect(learned).toMatchObject([{ ms: 160 }])
  })
})

describe('how deep the next cycle goes', () => {
  /** After cycles that drafted 8 steps, of which so many were accepted, at a cost of 1.5 steps. */
  function depthAfter(accepted: number, most = 8): number {
    const controller = new AdaptiveController({ mode: 'lr', depth: most })
    controller.observe({ drafted: 0, accepted: 0, steps: 4, tokens: 120, ms: 120 })
    for (let i = 0; i < 30; i++) {
      const steps = accepted + 1
      controller.observe({ drafted: 8, accepted, steps, tokens: 30 * steps, ms: 45 })
    }
    return controller.next().depth
  }

  test('steps after the first rejected one say nothing of the draft', () => {
    // Four of five that were judged were accepted, not four of eight.
    expect(depthAfter(4)).toBeGreaterThanOrEqual(4)
    expect(depthAfter(1)).toBeLessThanOrEqual(2)
  })

  test('no deeper than was asked for, however good the draft', () => {
    for (const most of [1, 3, 8]) expect(depthAfter(8, most)).toBe(most)
  })
})

describe('a call', () => {
  const full = { message: 'm', type: 't', param: null, code: 'overloaded' }

  test('that has begun is not repeated, though it is the same that would come', async () => {
    const half = { events: [...end.events.slice(0, 2), { type: 'error', error: full }] }
    const { calls, types } = await play([half, end], ar)
    expect(calls).toHaveLength(1)
    expect(types.at(-1)).toBe('run.failed')
  })

  test('of which a verdict has come is not repeated', async () => {
    const ruled = {
      events: [
        context(),
        { type: 'verdict', index: 0, accepted: true, reason: 'exact' },
        { type: 'error', error: full },
      ],
    }
    const { calls, types } = await play([drafts('a\n\n'), ruled, end, end])
    expect(calls.map(({ path }) => path)).toEqual(['/v1/draft', '/v1/verify'])
    expect(types.filter((type) => type === 'step.accepted')).toHaveLength(1)
    expect(types.at(-1)).toBe('run.failed')
  })

  test.each([400, 401, 404, 500, 502])('refused with %i is not repeated', async (status) => {
    expect((await play([{ status, code: 'x' }, end], ar)).calls).toHaveLength(1)
  })

  test.each([
    [429, 'x'],
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
    /** What was waited for before the second and the third try, in milliseconds. */
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
      expect(await waits({ 'retry-after': '3' })).toEqual([3000, 3000])
      expect(await waits({ 'retry-after': '0' })).toEqual([0, 0])
    })

    test('but not for ever', async () => {
      expect(await waits({ 'retry-after': '3600' })).toEqual([5000, 5000])
    })

    test('and longer each time, where it does not say', async () => {
      const [first, second] = await waits({})
      expect(first).toBeGreaterThan(0)
      expect(second).toBeGreaterThan(first!)
      expect(await waits({ 'retry-after': 'soon' })).toEqual([first, second])
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
      lookahead: { depth: 3, verifier: 'exact' },
    })
    expect(calls[0]!.body).toMatchObject({ depth: 3, sampling: settings.sampling })
    expect(calls[1]!.body).toMatchObject({ ...settings, verifier: 'exact', max_tokens: 77 })
  })

  test('the steps as they were drafted, by id and text', async () => {
    const { calls } = await play([drafts('a\n\n', 'b\n\n'), end])
    expect(calls[1]!.body['steps']).toEqual([
      { id: 's0', text: 'a\n\n' },
      { id: 's1', text: 'b\n\n' },
    ])
  })
})

describe('the client hears', () => {
  test('what was done, all cycles together', async () => {
    const first = commits([[true, 'exact']], { text: 'a\n\nb\n\n', tokens: [1, 2], correction: 'b\n\n' })
    const { events } = await play([drafts('a\n\n', 'x\n\n'), first, drafts('c\n\n'), end])
    expect(events.at(-1)).toMatchObject({
      type: 'run.completed',
      finish_reason: 'stop',
      usage: { prompt_tokens: 5, completion_tokens: 3 },
      stats: {
        cycles: 2,
        drafted_steps: 3,
        accepted_steps: 1,
        output_tokens: 3,
        proposed_tokens: 4,
        accepted_tokens: 2,
        target_forwards: 6,
        // A draft call took 1 ms, a verify call 1 ms of draft and of target.
        draft_ms: 4,
        target_ms: 2,
        judge_ms: 0,
      },
    })
    expect(events.filter(({ type }) => type === 'run.stats')).toMatchObject([{ stats: { cycles: 1 } }])
  })

  test('a verdict on a step that was not drafted, from a backend that is wrong, ends the run', async () => {
    const wrong = commits([[true, 'exact']], { text: 'a\n\n', tokens: [1] })
    expect((await play([wrong], ar)).events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_failed' })
  })

  test('the same of an engine that names its steps itself', async () => {
    const upstream: Upstream = {
      open: () => ({
        async *draft() {
          yield { type: 'step', id: 'mine', index: 0, text: 'x\n\n' }
        },
        async *verify() {
          yield { type: 'verdict', step: 'another', accepted: true, reason: 'exact' }
        },
        release: () => Promise.resolve(),
      }),
    }
    const trouble = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const events = await collect(upstream, { prompt: 'x' })
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_failed' })
    expect(JSON.parse(trouble.mock.calls[0]![0] as string)).toMatchObject({ backend_code: 'bad_event' })
  })

  test('no half of a tag, and the white space around it in neither channel', async () => {
    const pieces = ['so', ' 3', '\n', '\n</thi', 'nk>\n', '\n', '3!']
    const text = pieces.join('')
    const events = [
      context(),
      ...pieces.map((piece) => ({ type: 'delta', text: piece })),
      { type: 'commit', accepted: 0, text, tokens: [1], correction: text, finish_reason: 'stop' },
      end.events.at(-1)!,
    ]
    const said = { reasoning: '', answer: '' }
    for (const event of (await play([{ events }], ar)).events)
      if (event.type === 'text.delta') said[event.channel] += event.text
    expect(said).toEqual({ reasoning: 'so 3', answer: '3!' })
  })
})
