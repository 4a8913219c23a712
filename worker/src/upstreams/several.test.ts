/** Several backends: which a run goes to, that it stays there, and goes on at another one when that is lost. */
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { RunRequest, encodeEvent, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk/protocol'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { commits, context, drafts, fakeBackend } from '../../test/fake-backend.ts'
import type { FakeBackend, Reply } from '../../test/fake-backend.ts'
import { cycle } from '../lookahead/index.ts'
import type { Trouble } from '../lookahead/trouble.ts'
import { nativeUpstream } from './native.ts'

// Of equals, the first.
beforeAll(() => void vi.spyOn(Math, 'random').mockReturnValue(0))
afterAll(() => void vi.restoreAllMocks())

const ar = { lookahead: { mode: 'ar' as const } }
const delta = (text: string, ...tokens: number[]) => ({ type: 'delta', text, tokens })
const rest = (text: string, ...tokens: number[]) => commits([], { text, tokens, correction: text, finish: 'stop' })
const whole = { id: 'r', prompt: 'How many?' }

const logged: Trouble[] = []

const elsewhere = expect.objectContaining({ message: expect.stringMatching(/; the run goes on at another$/) })

async function run(
  backends: readonly { url: string }[],
  request: Partial<RunRequestInput> = ar,
  timeoutMs = 60_000,
  patienceMs?: number,
): Promise<{ events: RunEvent[]; types: string[]; text: string; waiting: RunEvent[] }> {
  const events: RunEvent[] = []
  const lookahead = { mode: 'lr' as const, pipelined: false, ...request.lookahead }
  const asked = parseRequest(RunRequest, { prompt: 'How many?', ...request, lookahead })
  const upstream = nativeUpstream({ baseURL: backends.map(({ url }) => url), timeoutMs, patienceMs })
  const options = { runId: 'r', signal: new AbortController().signal, log: (line: Trouble) => void logged.push(line) }
  for await (const event of cycle(upstream, asked, options)) events.push(event)
  return {
    events,
    types: events.map(({ type }) => type),
    text: events.map((event) => (event.type === 'text.delta' ? event.text : '')).join(''),
    waiting: events.filter(({ type }) => type === 'run.waiting'),
  }
}

/** A port of its own that refuses connections. */
async function deaf(): Promise<{ url: string }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return { url: `http://127.0.0.1:${port}` }
}

async function two(first: Reply[], second: Reply[], meet: (a: FakeBackend, b: FakeBackend) => Promise<void>) {
  await using a = await fakeBackend(first)
  await using b = await fakeBackend(second)
  await meet(a, b)
}

describe('a run that begins', () => {
  test.each<[string, Reply]>([
    ['shuts down', { status: 503, code: 'draining', retryAfter: 30 }],
    ['loads its models', { status: 503, code: 'loading', retryAfter: 30 }],
    ['has too much to do', { status: 429, code: 'overloaded', retryAfter: 30 }],
    ['takes the worker for a stranger', { status: 401, code: 'invalid_api_key' }],
    ['is behind a tunnel that is down', { status: 530, code: '', retryAfter: 30 }],
  ])('goes to the next backend at once where one %s, and so do those after it', async (_, refusal) => {
    await two([refusal], [rest('a', 1), rest('b', 2)], async (a, b) => {
      // Less than a wait would take.
      const first = await run([a, b], ar, 3_000)
      expect(first).toMatchObject({ text: 'a', types: ['run.started', 'run.waiting', 'text.delta', 'run.completed'] })
      expect(first.waiting).toEqual([elsewhere])
      expect(await run([a, b])).toMatchObject({ text: 'b' })
      expect([a.calls.length, b.calls.length]).toEqual([1, 2])
    })
  })

  test('goes to the next one where one is not there', async () => {
    await using b = await fakeBackend([rest('a', 1)])
    expect(await run([await deaf(), b])).toMatchObject({ text: 'a', waiting: [elsewhere] })
  })

  test('goes to the next one where one takes the call and never answers, and so do those after it, which lose no time', async () => {
    const mute = createServer()
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
    const { port } = mute.address() as AddressInfo
    let called = 0
    mute.on('connection', (socket) => {
      socket.on('data', (bytes) => void (called += Number(bytes.toString('latin1').startsWith('POST'))))
      socket.on('error', () => undefined)
      onTestFinished(() => void socket.destroy())
    })
    onTestFinished(() => void mute.close())
    await using b = await fakeBackend([rest('a', 1), rest('b', 2)])
    const backends = [{ url: `http://127.0.0.1:${port}` }, b]
    expect(await run(backends, ar, 60_000, 200)).toMatchObject({ text: 'a', waiting: [elsewhere] })
    expect(await run(backends, ar, 60_000, 200)).toMatchObject({ text: 'b', waiting: [] })
    expect(called).toBe(1)
  })

  test('is refused only after all have refused it', async () => {
    const busy: Reply[] = Array.from({ length: 9 }, () => ({ status: 429, code: 'overloaded', retryAfter: 0 }))
    await two(busy, busy, async (a, b) => {
      expect((await run([a, b], ar, 100)).events).toMatchObject([{ type: 'run.failed', code: 'overloaded' }])
      expect(Math.min(a.calls.length, b.calls.length)).toBeGreaterThan(0)
    })
  })

  test('goes where the fewest calls are', async () => {
    const slow: Reply = { events: [context(), delta('a', 1)], finally: 'hang' }
    await two([slow], [rest('b', 2)], async (a, b) => {
      const upstream = nativeUpstream({ baseURL: [a.url, b.url] })
      const over = new AbortController()
      const asked = parseRequest(RunRequest, { prompt: 'x', ...ar })
      const events = cycle(upstream, asked, { runId: 'first', signal: over.signal })
      await events.next()
      expect((await run([a, b])).text).toBe('b')
      await events.return()
    })
  })

  test('goes to one that has failed once that says that it is well again, which it is asked after a while', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const health = { status: 503, body: '{"status":"loading"}' }
      await using a = await fakeBackend([{ status: 503, code: 'loading' }, rest('e', 5)], { health })
      const later = Array.from({ length: 99 }, () => 'd')
      await using b = await fakeBackend(['a', 'b', 'c', ...later].map((text, i) => rest(text, i)))
      const next = async () => (await run([a, b])).text
      expect([await next(), a.checks]).toEqual(['a', 0])
      vi.advanceTimersByTime(11_000)
      // Nobody's run is tried on it, nor is it asked more than once in a while.
      expect([await next(), await next()]).toEqual(['b', 'c'])
      await expect.poll(() => a.checks).toBe(1)
      health.status = 200
      vi.advanceTimersByTime(11_000)
      expect(await next()).toBe('d')
      await expect.poll(() => a.checks).toBe(2)
      await expect.poll(next).toBe('e')
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a run that has begun', () => {
  const overloaded = { error: { message: 'm', type: 't', param: null, code: 'overloaded' } }
  const whole1 = rest('</think>a', 1).events.filter(({ type }) => type !== 'done')
  const { usage, timings, speculation } = rest('a', 1).events.at(-1)!
  const cycleOf = { usage, timings, speculation }
  const streamOf = (...events: { type: string }[]) => new Response(events.map((event) => encodeEvent(event)).join(''))
  const said = [context(), delta('a', 1, 2), delta('b', 3)]
  test.each<[string, Reply]>([
    ['breaks off', { events: said, finally: 'cut' }],
    [
      'shuts down',
      { events: [...said, { type: 'error', error: { message: 'm', type: 't', param: null, code: 'draining' } }] },
    ],
  ])(
    'goes on at another backend after the tokens that were said, where its own %s; one event tells',
    async (_, broken) => {
      await two([broken], [rest('c', 4)], async (a, b) => {
        const { text, waiting, types, events } = await run([a, b], { ...ar, max_tokens: 50 })
        expect([text, types.at(-1)]).toEqual(['abc', 'run.completed'])
        expect(waiting).toMatchObject([{ code: 'target_unavailable', message: expect.stringContaining('at another') }])
        expect(b.calls).toMatchObject([{ body: { context: { ...whole, output: [1, 2, 3] }, max_tokens: 47 } }])
        // Which one it was is the operator's to know.
        expect(JSON.stringify(events)).not.toContain('127.0.0.1')
        expect(logged.at(-1)).toMatchObject({ event: 'run.waiting', backend_host: new URL(a.url).host })
      })
    },
  )

  const cycle1 = commits([[true, 'exact']], { text: 'a\n\nb\n\n', tokens: [1, 2], correction: 'b\n\n' })

  test.each<[string, Reply[], Reply[]]>([
    [
      'its draft cannot be asked',
      [drafts('a\n\n'), cycle1, { status: 502, code: '' }],
      [drafts('c\n\n'), rest('c', 3)],
    ],
    ['the target cannot', [drafts('a\n\n'), cycle1, drafts('c\n\n'), { status: 502, code: '' }], [rest('c', 3)]],
  ])('goes there between two calls, with its draft, where %s', async (_, first, second) => {
    await two(first, second, async (a, b) => {
      const { text, types, waiting } = await run([a, b], { lookahead: { mode: 'lr', adaptive: false } })
      expect([text, types.at(-1), waiting.length]).toEqual(['a\n\nb\n\nc', 'run.completed', 1])
      expect(types).not.toContain('run.degraded')
      expect(b.calls[0]!.body.context).toEqual({ ...whole, output: [1, 2] })
    })
  })

  test('whose cycles follow one another takes its draft call along', async () => {
    const asked: string[] = []
    const answers: Record<string, () => Response> = {
      // The draft is let in, and never says anything.
      'a.test /v1/draft': () => new Response(new ReadableStream()),
      'a.test /v1/verify': () => Response.json(overloaded, { status: 429, headers: { 'retry-after': '30' } }),
      'b.test /v1/draft': () => new Response(new ReadableStream()),
      'b.test /v1/verify': () => streamOf(...whole1, { type: 'cycle', ...cycleOf }),
    }
    const fetch: typeof globalThis.fetch = (input, init) => {
      const { host, pathname } = new URL(input as string)
      if (init?.method === 'POST') asked.push(`${host} ${pathname}`)
      return Promise.resolve(answers[`${host} ${pathname}`]?.() ?? new Response())
    }
    const upstream = nativeUpstream({ baseURL: ['http://a.test', 'http://b.test'], fetch })
    const request = parseRequest(RunRequest, { prompt: 'x', lookahead: { mode: 'lr', adaptive: false } })
    const events: RunEvent[] = []
    const options = { runId: 'r', signal: new AbortController().signal, log: () => undefined }
    for await (const event of cycle(upstream, request, options)) events.push(event)
    expect(events.map(({ type }) => type)).toEqual(['run.started', 'run.waiting', 'text.delta', 'run.completed'])
    expect(asked.toSorted()).toEqual(Object.keys(answers))
  })

  test('stays with a backend that is only busy', async () => {
    const busy: Reply = { status: 429, code: 'overloaded', retryAfter: 0 }
    await two([drafts('a\n\n'), cycle1, drafts(), busy, rest('c', 3)], [], async (a, b) => {
      const { text } = await run([a, b], { lookahead: { mode: 'lr', adaptive: false } })
      expect([text, b.calls.length]).toEqual(['a\n\nb\n\nc', 0])
    })
  })

  test('waits for its own where no other one is there', async () => {
    await using a = await fakeBackend([{ events: said, finally: 'cut' }, rest('c', 4)])
    const { text, waiting } = await run([a, await deaf()])
    expect([text, waiting.length, a.calls.length]).toEqual(['abc', 1, 2])
  })
})
