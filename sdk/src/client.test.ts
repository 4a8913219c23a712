import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { baseURL, events, route, script, staged, stopServer, wire } from '../test/server.ts'
import { ApiError, Lookahead, LookaheadError } from './index.ts'
import type { RunEvent, RunStream } from './index.ts'
import { ProtocolError } from './protocol/index.ts'

afterAll(stopServer)

const question = { prompt: 'What is 6 times 7?' }
const ask = (options = {}) => new Lookahead({ baseURL, ...options }).runs.stream(question)
const good = () => staged([wire(events)]).response

it('tries again after 500 and after a lost connection', async () => {
  const { requests } = script(
    () => new Response(null, { status: 500 }),
    () => Response.error(),
    good,
  )
  expect((await ask().final()).answer).toBe('The answer is 42.')
  expect(requests).toHaveLength(3)
})

it('gives up after maxRetries', async () => {
  const { requests } = script(
    () => Response.error(),
    () => Response.error(),
  )
  await expect(ask({ maxRetries: 1 }).final()).rejects.toMatchObject({ kind: 'connection', retryable: true })
  expect(requests).toHaveLength(2)
})

it('tries again when the stream ends before its first event, never after it', async () => {
  const retried = script(staged([': ok\n\n']).response, good)
  await ask().final()
  expect(retried.requests).toHaveLength(2)

  const cut = script(staged([wire(events.slice(0, 1))]).response, good)
  await expect(ask().final()).rejects.toMatchObject({ kind: 'stream_interrupted' })
  expect(cut.requests).toHaveLength(1)
})

describe('a run that fails', () => {
  const failed = (code: string): RunEvent => ({ type: 'run.failed', code, message: 'Away.' })
  const answered = (list: RunEvent[]) => () => staged([wire(list)]).response

  async function read(run: RunStream) {
    const types: string[] = []
    const reading = (async () => {
      for await (const { type } of run) types.push(type)
    })()
    const error: unknown = await reading.catch((thrown: unknown) => thrown)
    return { types, error }
  }

  let clock: ReturnType<typeof setInterval>
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    clock = setInterval(() => vi.advanceTimersByTime(500), 20)
  })
  afterEach(() => {
    clearInterval(clock)
    vi.useRealTimers()
  })

  it.each(['target_unavailable', 'overloaded'])(
    'with %s before any text is repeated, and its readers see no failure',
    async (code) => {
      const { requests } = script(answered([...events.slice(0, 3), failed(code)]), answered([failed(code)]), good)
      const run = ask()
      const { types, error } = await read(run)
      expect(error).toBeUndefined()
      expect(types).toEqual([...events.slice(0, 3), ...events].map(({ type }) => type))
      const { answer, steps } = await run.final()
      expect([answer, steps.length, requests.length]).toEqual(['The answer is 42.', 2, 3])
    },
  )

  it('is repeated maxRetries times, and then told once', async () => {
    const { requests } = script(...[1, 2, 3].map(() => answered([events[0]!, failed('target_unavailable')])))
    const { types, error } = await read(ask())
    expect(error).toMatchObject({ kind: 'run_failed', code: 'target_unavailable' })
    expect(types).toEqual(['run.started', 'run.started', 'run.started', 'run.failed'])
    expect(requests).toHaveLength(3)
  })

  it.each([
    ['after some text', 5, 'target_unavailable'],
    ['after a ruling', 4, 'target_unavailable'],
    ['for good', 1, 'context_length_exceeded'],
  ])('%s is not repeated', async (_, count, code) => {
    const { requests } = script(answered([...events.slice(0, count), failed(code)]), good)
    const { types, error } = await read(ask())
    expect(error).toMatchObject({ kind: 'run_failed', code })
    expect([types.length, types.at(-1), requests.length]).toEqual([count + 1, 'run.failed', 1])
  })
})

it('stops waiting for the next attempt when the signal aborts', async () => {
  const { requests } = script(new ProtocolError(503, 'starting', 'Not yet.', { retryAfter: 30 }).toResponse())
  const controller = new AbortController()
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const ended = expect(
    new Lookahead({ baseURL }).runs.stream(question, { signal: controller.signal }).final(),
  ).rejects.toMatchObject({ kind: 'aborted' })
  await expect.poll(() => timers.mock.calls.map(([, ms]) => ms)).toContain(30_000)
  controller.abort()
  await ended
  timers.mockRestore()
  expect(requests).toHaveLength(1)
})

it('reports a refused request with the field at fault, at once', async () => {
  const refusal = new ProtocolError(400, 'invalid_request', 'depth: too deep', { param: 'depth' }).toResponse()
  refusal.headers.set('x-request-id', 'req_9')
  const { requests } = script(refusal)
  const error: unknown = await ask()
    .final()
    .catch((thrown: unknown) => thrown)
  expect(ApiError.isInstance(error)).toBe(true)
  expect(error).toBeInstanceOf(ApiError)
  expect(error).toMatchObject({
    name: 'ApiError',
    status: 400,
    code: 'invalid_request',
    param: 'depth',
    message: 'depth: too deep',
    requestId: 'req_9',
    retryable: false,
  })
  expect(requests).toHaveLength(1)
})

it('makes an error of an answer that is no error object', async () => {
  script(new Response('<h1>Not here</h1>', { status: 404 }))
  await expect(ask().final()).rejects.toMatchObject({ status: 404, code: 'unknown' })
})

it('reports a server that does not answer in time', async () => {
  script(() => new Promise<Response>(() => undefined))
  await expect(ask({ timeoutMs: 30, maxRetries: 0 }).final()).rejects.toMatchObject({
    kind: 'timeout',
    code: 'headers',
  })
})

it('reports a refused connection', async () => {
  await expect(ask({ baseURL: 'http://127.0.0.1:9', maxRetries: 0 }).final()).rejects.toMatchObject({
    kind: 'connection',
    code: 'connection_error',
  })
})

it('calls fetch without a this', async () => {
  const fetch = vi.fn(() => Promise.resolve(good()))
  await ask({ fetch }).final()
  expect(fetch.mock.contexts).toEqual([undefined])
})

it('leaves no timer behind that would keep a process alive', async () => {
  const [set, clear] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')]
  await ask({ fetch: () => Promise.resolve(good()) }).final()
  const [timers, cleared] = [set.mock.results.map(({ value }) => value), clear.mock.calls.map(([timer]) => timer)]
  vi.restoreAllMocks()
  expect(timers.length).toBeGreaterThan(0)
  expect(cleared).toEqual(expect.arrayContaining(timers))
})

describe('health()', () => {
  const client = new Lookahead({ baseURL, maxRetries: 0 })
  const answered = (answer: () => Response) => {
    route('/health', answer)
    return client.health()
  }

  it.each([
    ['ok', 'ok', 200],
    ['degraded', 'unauthorized', 503],
    ['degraded', 'a state of later workers', 503],
  ])('tells that a worker is %s, its backend %s', async (status, backend, code) => {
    expect(await answered(() => Response.json({ status, backend }, { status: code }))).toEqual({ status, backend })
  })

  it('fails where no worker answers', async () => {
    const headers = { 'x-request-id': 'req_9' }
    await expect(answered(() => new Response('<h1>Welcome</h1>', { headers }))).rejects.toMatchObject({
      code: 'malformed_answer',
      requestId: 'req_9',
    })
    await expect(answered(() => new Response('<h1>Sorry</h1>', { status: 503 }))).rejects.toMatchObject({ status: 503 })
    await expect(answered(() => Response.error())).rejects.toMatchObject({ kind: 'connection' })
    await expect(client.health({ signal: AbortSignal.abort('enough') })).rejects.toMatchObject({
      kind: 'aborted',
      cause: 'enough',
    })
  })
})

it('lists models, and takes nothing else for them', async () => {
  const client = new Lookahead({ baseURL, maxRetries: 0 })
  route('/v1/models', () => Response.json({ object: 'list', data: [] }))
  expect(await client.models.list()).toEqual({ object: 'list', data: [] })
  route('/v1/models', () => new Response('nothing'))
  await expect(client.models.list()).rejects.toMatchObject({ code: 'malformed_answer' })
  route('/v1/models', new ProtocolError(502, 'backend_unauthorized', 'No.').toResponse())
  await expect(client.models.list()).rejects.toMatchObject({ status: 502, code: 'backend_unauthorized' })
})

it('knows errors of another copy of the package', () => {
  const foreign = Object.assign(new Error('elsewhere'), { [Symbol.for('lookahead.error')]: true, kind: 'api' })
  expect(LookaheadError.isInstance(foreign)).toBe(true)
  expect(LookaheadError.isInstance(new Error('other'))).toBe(false)
  expect(LookaheadError.isInstance(null)).toBe(false)
})
