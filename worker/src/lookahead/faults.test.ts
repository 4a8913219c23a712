import { RunRequest, encodeEvent, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { commits, context, drafts } from '../../test/fake-backend.ts'
import type { Reply } from '../../test/fake-backend.ts'
import { IDLE_MS, end, play } from '../../test/play.ts'
import { nativeUpstream } from '../upstreams/native.ts'
import { cycle } from './cycle.ts'

afterEach(() => void vi.useRealTimers())
const setClocksByHand = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

describe('a helper that fails costs speed, never the run', () => {
  test.each<[string, Reply]>([
    ['is not there', { status: 503, code: 'no_draft_model' }],
    ['refuses', { status: 500, code: 'internal_error' }],
    ['talks nonsense', { events: [{ type: 'step' }] }],
    ['drafts more than it was asked for', drafts(...Array.from({ length: 9 }, () => 'a\n\n'))],
    ['never ends a step', drafts('a'.repeat(100_000))],
    [
      'reports an error',
      {
        events: [context(), { type: 'error', error: { message: 'm', type: 't', param: null, code: 'x' } }],
      },
    ],
  ])('a draft that %s', async (_fault, reply) => {
    const { types, calls, events } = await play([reply, end])
    expect(types.filter((type) => type === 'run.degraded')).toHaveLength(1)
    expect(events.find((event) => event.type === 'run.degraded')).toMatchObject({ part: 'draft' })
    expect(calls).toMatchObject([{ path: '/v1/draft' }, { path: '/v1/verify', body: { steps: [], decode: 'end' } }])
    expect(types.at(-1)).toBe('run.completed')
  })

  test.each<[string, Reply]>([
    ['breaks off', { events: [context()], finally: 'cut' }],
    ['ends without done', { events: [context()] }],
  ])('a draft that %s is asked once more', async (_fault, reply) => {
    const again = await play([reply, drafts('a\n\n'), end])
    expect(again.types).not.toContain('run.degraded')
    const { types, calls } = await play([reply, reply, end])
    expect(types.filter((type) => type === 'run.degraded')).toHaveLength(1)
    expect(calls.map(({ path }) => path)).toEqual(['/v1/draft', '/v1/draft', '/v1/verify'])
    expect(types.at(-1)).toBe('run.completed')
  })

  test('a draft that finds no room once it has begun is waited for', async () => {
    const full = { message: 'm', type: 't', param: null, code: 'overloaded' }
    const begun: Reply = { events: [context(), { type: 'error', error: full }] }
    const { types, calls } = await play([begun, drafts('a\n\n'), end])
    expect(types).not.toContain('run.degraded')
    expect(calls.map(({ path }) => path)).toEqual(['/v1/draft', '/v1/draft', '/v1/verify'])
  })

  test('a draft behind a door that does not let the worker in: the target is not asked too', async () => {
    const { events, calls } = await play([{ status: 401, code: 'invalid_api_key' }, end])
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'backend_unauthorized' })
    expect(calls.map(({ path }) => path)).toEqual(['/v1/draft'])
  })

  test('a draft that goes silent', async () => {
    setClocksByHand()
    const silent = (signal: AbortSignal) => {
      const events = [encodeEvent(context())]
      const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
        const event = events.shift()
        if (event !== undefined) return controller.enqueue(new TextEncoder().encode(event))
        signal.addEventListener('abort', () => controller.error(signal.reason))
        vi.advanceTimersByTime(IDLE_MS)
      }
      return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }))
    }
    const fetch: typeof globalThis.fetch = async (url, init) =>
      (url as string).endsWith('/v1/draft') ? silent(init!.signal!) : globalThis.fetch(url, init)
    const { types, calls, events } = await play([end], {}, { fetch })
    expect(events.find((event) => event.type === 'run.degraded')).toMatchObject({ part: 'draft', code: 'idle' })
    expect(calls).toMatchObject([{ path: '/v1/verify', body: { steps: [], decode: 'end' } }])
    expect(types.at(-1)).toBe('run.completed')
  })

  test('a judge that cannot be asked', async () => {
    const first = commits([[false, 'judge_failed']], { text: 'B\n\n', tokens: [1], correction: 'B\n\n' })
    const { types, calls, events } = await play([drafts('a\n\n'), first, end])
    expect(events.find((event) => event.type === 'run.degraded')).toMatchObject({ part: 'judge', code: 'judge_failed' })
    expect(calls.map(({ path }) => path)).toEqual(['/v1/draft', '/v1/verify', '/v1/verify'])
    expect(calls[2]!.body).toMatchObject({ decode: 'end', speculation: { ngram: 8 } })
    expect(types.at(-1)).toBe('run.completed')
  })

  test('a judge that cannot be asked, of whom several verdicts say so: it is told once', async () => {
    const verdicts: [boolean, string][] = [
      [false, 'judge_failed'],
      [false, 'judge_failed'],
    ]
    const first = commits(verdicts, { text: 'B\n\n', tokens: [1], correction: 'B\n\n' })
    const { types } = await play([drafts('a\n\n', 'b\n\n'), first, end])
    expect(types.filter((type) => type === 'run.degraded')).toHaveLength(1)
  })
})

describe('a target that fails ends the run with one terminal event', () => {
  const busy = { status: 429, code: 'overloaded', retryAfter: 0 }
  const loading = { status: 503, code: 'loading', retryAfter: 0 }
  const nothing = commits([], { text: '', tokens: [] })
  const contradiction: Reply = {
    events: end.events.map((event) => (event.type === 'delta' ? { type: 'delta', text: 'half' } : event)),
  }
  test.each<[string, Reply[], code: string, calls: number]>([
    ['refuses', [{ status: 500, code: 'internal_error' }], 'target_failed', 1],
    ['is too small for the prompt', [{ status: 400, code: 'context_length_exceeded' }], 'context_length_exceeded', 1],
    ['sends text before its context', [{ events: [{ type: 'delta', text: 'a' }] }], 'target_failed', 1],
    ['commits other text than it sent', [contradiction], 'target_failed', 1],
    ['commits nothing, over and over', [nothing, nothing, nothing], 'target_failed', 1],
  ])('when it %s', async (_fault, script, code, count) => {
    const { events, calls } = await play(script, { lookahead: { mode: 'ar' } })
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code, message: expect.not.stringContaining('worker') })
    expect(calls).toHaveLength(count)
  })

  test.each([
    ['busy', busy, 'overloaded'],
    ['loading', loading, 'target_unavailable'],
  ])('when it stays %s', async (_fault, reply, code) => {
    const script = Array.from({ length: 20 }, () => reply)
    const { types, events, calls } = await play(script, { lookahead: { mode: 'ar' } }, { timeoutMs: 600 })
    expect(types).toEqual(['run.failed'])
    expect(events[0]).toMatchObject({ code })
    expect(calls.length).toBeGreaterThan(1)
  })

  test('when it cannot be reached', async () => {
    const upstream = nativeUpstream({ baseURL: 'http://127.0.0.1:9', timeoutMs: 1 })
    const request = parseRequest(RunRequest, { prompt: 'x', lookahead: { mode: 'ar' } })
    const events: RunEvent[] = []
    const options = { runId: 'r', signal: new AbortController().signal, log: () => undefined }
    for await (const event of cycle(upstream, request, options)) events.push(event)
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_unavailable' })
  })

  const full = { message: 'm', type: 't', param: null, code: 'overloaded' }
  test.each<[string, Reply[]]>([
    ['is busy', [busy]],
    ['still ends an abandoned call', [{ status: 409, code: 'context_busy' }]],
    [
      'finds no room once it has begun, and gave the context up',
      [{ events: [context(), { type: 'error', error: full }] }, { status: 409, code: 'context_lost' }],
    ],
  ])('a backend that %s is tried again', async (_fault, script) => {
    const { types, text } = await play([...script, end], { lookahead: { mode: 'ar' } })
    expect([types.at(-1), text]).toEqual(['run.completed', '\\boxed{3}'])
  })
})

describe('plain decoding', () => {
  const ar = { lookahead: { mode: 'ar' as const } }
  const pieces = [context(), { type: 'delta', text: '</think>' }, { type: 'delta', text: '\n\n\\boxed{3}' }]
  const inPieces = [...pieces, ...end.events.slice(2)]

  /** Answers with chunks, each sent once it is asked for. */
  const answering = (chunks: string[], whenAsked = () => {}): typeof fetch => {
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          whenAsked()
          const chunk = chunks.shift()
          if (chunk === undefined) controller.close()
          else controller.enqueue(new TextEncoder().encode(chunk))
        },
      },
      { highWaterMark: 0 },
    )
    return (_, init) => Promise.resolve(new Response(init?.method === 'DELETE' ? null : body))
  }
  const encoded = (events: typeof end.events) => events.map((event) => encodeEvent(event))

  test('outlives a reader slower than the idle limit', async () => {
    setClocksByHand()
    const onText = async () => {
      // What was asked for ahead has come.
      await new Promise((resolve) => setImmediate(resolve))
      vi.advanceTimersByTime(2 * IDLE_MS)
    }
    const { types, text } = await play([], ar, { fetch: answering(encoded(inPieces)), onText })
    expect([types.at(-1), text]).toEqual(['run.completed', '\\boxed{3}'])
  })

  test('outlives a backend that sends only comments for longer than the idle limit', async () => {
    setClocksByHand()
    const comments = [':\n\n', ':\n\n', ':\n\n']
    const fetch = answering([...comments, ...encoded(end.events)], () => vi.advanceTimersByTime(0.8 * IDLE_MS))
    expect((await play([], ar, { fetch })).types.at(-1)).toBe('run.completed')
  })

  test('says what was committed, whatever part of it the deltas said', async () => {
    const silent = { events: end.events.filter(({ type }) => type !== 'delta') }
    expect((await play([silent], ar)).text).toBe('\\boxed{3}')
  })

  test('finds a backend that stands under a path', async () => {
    expect((await play([end], ar, { under: '/gpu/' })).calls).toMatchObject([{ path: '/gpu/v1/verify' }])
  })
})
