/** Cycles that follow one another at our backend: what it is sent, and when. */
import { setImmediate } from 'node:timers/promises'
import { encodedStream, encodeEvent, parseRequest, StepRules } from '@lookahead/sdk/protocol'
import { expect, test, vi } from 'vitest'
import { commits, context } from '../../test/fake-backend.ts'
import type { FollowEvent, Following, Session, TextRequest } from '../lookahead/upstream.ts'
import { nativeUpstream } from './native.ts'

const never = new AbortController().signal
const usage = { prompt_tokens: 5, completion_tokens: 1 }
const timings = { total_ms: 3, draft_ms: 1, target_ms: 1, judge_ms: 0, prompt_ms: 0.25, wait_ms: 0.5, forwards: 3 }
const speculation = { proposed: 2, accepted: 1 }
const cycle = [
  ...commits([], { text: 'a\n\n', tokens: [1], correction: 'a\n\n' }).events.filter(({ type }) => type === 'commit'),
  { type: 'cycle', usage, timings, speculation },
]
const done = { type: 'done', usage, timings, speculation }

/** A text at a backend whose calls that verify say two cycles each, an event at a time, and whose draft call fails if it is to,
 * and which forgets the text if it is to, or has gone on with it by so many tokens that nobody read; the second cycle ends the text if it is to. */
function begin({
  draftFails,
  forgets,
  finishes,
  unread = 0,
  ...more
}: Partial<TextRequest> & { draftFails?: boolean; forgets?: boolean; finishes?: boolean; unread?: number } = {}): {
  session: Session
  /** Calls whose answers were not read to their end. */
  left: string[]
  calls: { path: string; context: unknown }[]
  bodies: Record<string, unknown>[]
} {
  const calls: { path: string; context: unknown }[] = []
  const bodies: Record<string, unknown>[] = []
  const left: string[] = []
  const over = Promise.withResolvers<void>()
  let tokens = 0
  async function* said(path: string) {
    yield context(tokens && tokens + unread)
    if (path === '/v1/verify')
      for (const event of [...cycle, ...cycle]) {
        await setImmediate()
        await setImmediate()
        if (event.type === 'commit') tokens++
        yield finishes && event.type === 'commit' && tokens === 2 ? { ...event, finish_reason: 'stop' } : event
      }
    if (path === '/v1/draft' && finishes) await over.promise
    await setImmediate()
    over.resolve()
    yield done
  }
  const fetch: typeof globalThis.fetch = (input, init) => {
    const path = new URL(input as string).pathname
    const body = JSON.parse(init?.body as string) as Record<string, unknown>
    calls.push({ path, context: body['context'] })
    bodies.push(body)
    if (draftFails && path === '/v1/draft') return Promise.resolve(new Response('{}', { status: 500 }))
    const isUpon = JSON.stringify(body['context']).includes('continues')
    if (forgets && isUpon)
      return Promise.resolve(
        Response.json({ error: { message: 'gone', type: 'x', code: 'context_lost', param: null } }, { status: 409 }),
      )
    return Promise.resolve(encodedStream(said(path), encodeEvent, { onCancel: () => left.push(path) }))
  }
  const text = { id: 'r', prompt: 'How many?', sampling: {}, stop: [], stopInReasoning: false, ...more }
  return { session: nativeUpstream({ baseURL: 'http://backend.test', fetch }).open(text), left, calls, bodies }
}

const task = (depth: number): Following => ({
  verifier: 'likelihood',
  threshold: 0.4,
  depth,
  width: 1,
  decode: 1,
  overlap: undefined,
  tokens: { drafted: true, ngram: 0, draft: 0 },
  maxTokens: 100,
})

async function read(events: AsyncIterable<FollowEvent>): Promise<string[]> {
  const types: string[] = []
  for await (const { type } of events) types.push(type)
  return types
}

/** An answer that says so much, and nothing after it. */
function silentAfter(text: string): Response {
  const start = (controller: ReadableStreamDefaultController<Uint8Array>) =>
    controller.enqueue(new TextEncoder().encode(text))
  return new Response(new ReadableStream({ start }))
}

const busy = () => new Response('{}', { status: 503, headers: { 'retry-after': '5' } })

test('a call that takes over is sent at once, and goes on wherever the one before it ends; one draft call does for both', async () => {
  const { session, calls } = begin()
  const first = session.follow!(task(4), never)[Symbol.asyncIterator]()
  expect((await first.next()).value).toMatchObject({ type: 'opened' })
  // Nobody reads it yet, nor has the first one ended.
  const second = session.follow!(task(2), never)
  await expect.poll(() => calls.length).toBe(3)
  expect(await read(second)).toContain('commit')
  const whole = { id: 'r', prompt: 'How many?', output: [] }
  expect(calls).toEqual([
    { path: '/v1/draft', context: whole },
    { path: '/v1/verify', context: whole },
    { path: '/v1/verify', context: { id: 'r', continues: true } },
  ])
})

test('both calls hear how the text is cut into steps, and the one that verifies how tokens are drawn', async () => {
  const steps = parseRequest(StepRules, { delimiters: ['.'] })
  const { session, bodies } = begin({ steps, coupled: true })
  await read(session.follow!(task(4), never))
  expect(bodies).toMatchObject([{ step_rules: steps }, { step_rules: steps, coupled: true }])
})

test('nothing is drafted for a target that is to write alone', async () => {
  const { session, calls } = begin()
  await read(session.follow!(task(0), never))
  expect(calls.map(({ path }) => path)).toEqual(['/v1/verify'])
})

test('a draft that fails is told once, and the text goes on', async () => {
  const { session } = begin({ draftFails: true })
  const told = await read(session.follow!(task(4), never))
  expect(told.filter((type) => type === 'undrafted')).toHaveLength(1)
  expect(told.filter((type) => type === 'cycle')).toHaveLength(2)
})

test.each<[string, () => Promise<Response>, calls: number, code: string]>([
  ['sends no headers is not made again', () => new Promise(() => undefined), 1, 'unreachable'],
  ['goes silent is not made again', async () => silentAfter(encodeEvent(context())), 1, 'idle'],
  ['is refused for all its time is not begun anew', async () => busy(), 5, 'http_503'],
  ['breaks off is made again, but not for ever', async () => new Response(encodeEvent(context())), 3, 'stream_cut'],
])('beside a text that goes on, a draft call that %s', async (_fault, answer, calls, code) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  try {
    const failed = Promise.withResolvers<void>()
    async function* target() {
      yield context()
      await failed.promise
      yield* [...cycle, done]
    }
    let drafts = 0
    const fetch: typeof globalThis.fetch = (input) => {
      // What says nothing but comments is not silent.
      if ((input as string).endsWith('/verify'))
        return Promise.resolve(encodedStream(target(), encodeEvent, { heartbeatMs: 5_000 }))
      drafts++
      return answer()
    }
    const text = { id: 'r', prompt: 'How many?', sampling: {}, stop: [], stopInReasoning: false }
    const session = nativeUpstream({ baseURL: 'http://backend.test', fetch }).open(text)
    const errors: unknown[] = []
    const reading = (async () => {
      for await (const event of session.follow!(task(4), never))
        if (event.type === 'undrafted') errors.push(event.error)
    })()
    await vi.advanceTimersByTimeAsync(250_000)
    failed.resolve()
    await reading
    expect(drafts).toBe(calls)
    expect(errors).toEqual([expect.objectContaining({ code })])
  } finally {
    vi.useRealTimers()
  }
})

test('a call that takes over at a backend which has lost the text says so at once: it cannot send what it has not read', async () => {
  const { session, calls } = begin({ forgets: true })
  const first = session.follow!(task(4), never)
  expect(await read(first)).toContain('commit')
  await expect(read(session.follow!(task(2), never))).rejects.toMatchObject({ code: 'context_lost', retryable: true })
  const asked = calls.filter(({ path }) => path === '/v1/verify')
  expect(asked.length).toBe(2)
})

test('a call that takes over where the backend has gone on unread fails before any text: it would leave a gap', async () => {
  const { session } = begin({ unread: 1 })
  expect(await read(session.follow!(task(4), never))).toContain('commit')
  const told: string[] = []
  const reading = (async () => {
    for await (const { type } of session.follow!(task(2), never)) told.push(type)
  })()
  await expect(reading).rejects.toMatchObject({ code: 'context_lost', retryable: true })
  expect(told).toEqual(['opened'])
})

test('a text that ends leaves no call half read: its connections serve the next one', async () => {
  const { session, left } = begin({ finishes: true })
  const run = new AbortController()
  let cycles = 0
  for await (const event of session.follow!(task(4), run.signal)) if (event.type === 'cycle' && ++cycles === 2) break
  run.abort()
  await setImmediate()
  expect(left).toEqual([])
})

test('a cycle is told with what the target waited and worked, and its prompt apart', async () => {
  const { session } = begin()
  const cycles: unknown[] = []
  for await (const event of session.follow!(task(4), never)) if (event.type === 'cycle') cycles.push(event)
  expect(cycles).toMatchObject([
    { waitMs: 0.5, work: { draftMs: 1, targetMs: 1, promptMs: 0.25 } },
    { waitMs: 0.5, work: { draftMs: 1, targetMs: 1, promptMs: 0.25 } },
  ])
})
