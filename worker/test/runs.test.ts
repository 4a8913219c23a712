/** The worker's requests, against a backend that does what a script says; the runtime's part is played by the test. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { app } from '../src/app.ts'
import { commits, context, drafts, fakeBackend } from './fake-backend.ts'
import type { FakeBackend, Reply } from './fake-backend.ts'
import { end } from './play.ts'

const step = commits([[true, 'exact']], { text: 'a\n\nb\n\n', tokens: [1, 2], correction: 'b\n\n' })

/** Asks the worker. `held`: what the runtime is asked to wait for before it drops the worker's code. */
async function ask(
  fake: FakeBackend,
  body: object,
  signal?: AbortSignal,
  status = 200,
  path = '/v1/runs',
): Promise<{ response: Response; held: Promise<unknown>[] }> {
  const held: Promise<unknown>[] = []
  const runtime = { waitUntil: (promise: Promise<unknown>) => void held.push(promise), passThroughOnException() {} }
  const request = new Request(`http://worker.test${path}`, {
    method: 'POST',
    body: JSON.stringify({ prompt: 'x', ...body }),
    ...(signal ? { signal } : {}),
  })
  const response = await app.fetch(request, { BACKEND_URL: fake.url }, runtime as never)
  expect(response.status).toBe(status)
  return { response, held }
}

/** The depths that a run asked the backend for, cycle after cycle; 0 where nothing was drafted. */
async function depthsOf(body: object, script: Reply[]): Promise<unknown[]> {
  await using fake = await fakeBackend(script)
  const { response } = await ask(fake, body)
  expect(await response.text()).toContain('run.completed')
  const calls = fake.calls.map(({ path, body: { depth } }) => (path === '/v1/draft' ? depth : 'verify'))
  return calls.flatMap((call, i) => (call !== 'verify' ? [call] : calls[i - 1] === 'verify' || i === 0 ? [0] : []))
}

/** Every run of a test is of a kind that no other has: what is learnt of depths is kept by kind. */
let kinds = 0
const kind = (depth = 5, more: object = {}) => ({
  lookahead: { depth, mode: 'auto', pipelined: false },
  sampling: { temperature: 0.001 * ++kinds },
  ...more,
})

const three: Reply[] = [drafts('a\n\n'), step, drafts('a\n\n'), step, drafts('a\n\n'), end]
/** After the first cycle the target is timed alone, whatever came of it. */
const adaptive: Reply[] = [drafts('a\n\n'), step, end]

test('in mode auto the depth follows what was measured; else it is always the one asked for, if nothing else is said', async () => {
  const { lookahead, sampling } = kind()
  expect(await depthsOf({ lookahead, sampling }, adaptive)).toEqual([3, 0])
  expect(await depthsOf({ ...kind(), lookahead: { ...lookahead, adaptive: false } }, three)).toEqual([5, 5, 5])
  const fixed = { ...lookahead, mode: 'lr' }
  expect(await depthsOf({ ...kind(), lookahead: fixed }, three)).toEqual([5, 5, 5])
  expect(await depthsOf({ ...kind(), lookahead: { ...fixed, adaptive: true } }, adaptive)).toEqual([3, 0])
})

test('what was learnt is remembered for runs of the same kind, and for no others', async () => {
  const { lookahead, sampling } = kind()
  await depthsOf({ lookahead, sampling }, [drafts('a\n\n'), end])
  /** The first call of a run that ends at once, and its depth. */
  const first = async (more: object, temperature = sampling.temperature) => {
    const body = { lookahead: { ...lookahead, ...more }, sampling: { temperature } }
    await using fake = await fakeBackend([end, end])
    await (await ask(fake, body)).response.text()
    return [fake.calls[0]!.path, fake.calls[0]!.body['depth']]
  }
  // The target is still to be timed alone.
  expect(await first({})).toEqual(['/v1/verify', undefined])
  // Others begin as if nothing were known.
  expect(await first({ depth: 2 })).toEqual(['/v1/draft', 2])
  expect(await first({ verifier: 'exact' })).toEqual(['/v1/draft', 3])
  expect(await first({ mode: 'lr', adaptive: true })).toEqual(['/v1/draft', 3])
  expect(await first({}, 0.9)).toEqual(['/v1/draft', 3])
})

const silent: Reply = { events: [context(), { type: 'delta', text: 'half' }], finally: 'hang' }

test('a client that cancels the body ends the run down to the backend, and the runtime waits for that', async () => {
  await using fake = await fakeBackend([silent])
  const { response, held } = await ask(fake, { lookahead: { mode: 'ar' } })
  const reader = response.body!.getReader()
  let seen = ''
  while (!seen.includes('half')) seen += new TextDecoder().decode((await reader.read()).value)
  expect(held).toHaveLength(1)
  let dropped = false
  const waited = held[0]!.then(() => (dropped = true))
  await sleep(50)
  // The run is still going on, whatever the client does.
  expect([dropped, fake.left]).toEqual([false, 0])
  await reader.cancel()
  await waited
  // By the time the code may be dropped, the backend has been told.
  expect(fake.released).toHaveLength(1)
  await expect.poll(() => fake.left).toBe(1)
})

test('a connection that closes does the same', async () => {
  await using fake = await fakeBackend([silent])
  const connection = new AbortController()
  const { response, held } = await ask(fake, { lookahead: { mode: 'ar' } }, connection.signal)
  const text = response.text().catch(() => '')
  await expect.poll(() => fake.calls.length).toBe(1)
  connection.abort()
  await Promise.all([text, ...held])
  expect(fake.released).toHaveLength(1)
  await expect.poll(() => fake.left).toBe(1)
})

test('a client that leaves before it has read anything leaves nothing behind', async () => {
  await using fake = await fakeBackend([silent])
  const { response, held } = await ask(fake, { lookahead: { mode: 'ar' } })
  await response.body!.cancel()
  await Promise.all(held)
  expect(fake.calls).toHaveLength(fake.released.length)
})

test('a run that is read to its end holds nothing back', async () => {
  await using fake = await fakeBackend([end])
  const { response, held } = await ask(fake, { lookahead: { mode: 'ar' } })
  expect(await response.text()).toContain('run.completed')
  await Promise.all(held)
  expect([fake.released, fake.left]).toEqual([[], 0])
})

test('which verifiers there are is for the backend to say', async () => {
  await using fake = await fakeBackend([drafts('a\n\n'), { status: 400, code: 'invalid_request' }])
  const { response } = await ask(fake, { lookahead: { verifier: 'mine', pipelined: false } })
  const text = await response.text()
  expect(text).toContain('"verifier":"mine"')
  expect(fake.calls[1]!.body).toMatchObject({ verifier: 'mine' })
  expect(text).toMatch(/"run.failed","code":"invalid_request"/)
})

describe('a run that the backend does not let in', () => {
  const ar = { lookahead: { mode: 'ar' } }
  test.each([
    [400, 'invalid_request', 400, 'invalid_request'],
    [400, 'context_length_exceeded', 400, 'context_length_exceeded'],
    [500, 'riddle', 502, 'target_failed'],
  ])('is refused with a status: %i %s', async (status, code, told, as) => {
    await using fake = await fakeBackend([{ status, code }])
    const { response, held } = await ask(fake, ar, undefined, told)
    expect(await response.json()).toMatchObject({ error: { code: as } })
    await Promise.all(held)
  })

  /** Lets time pass until that is there. */
  async function inTime<T>(awaited: Promise<T>): Promise<T> {
    const isOver = awaited.then(() => true)
    const turn = () => new Promise<false>((resolve) => setImmediate(() => resolve(false)))
    while (!(await Promise.race([isOver, turn()]))) vi.advanceTimersByTime(100)
    return awaited
  }

  describe.each([
    [429, 'overloaded', 'overloaded'],
    [503, 'loading', 'target_unavailable'],
  ])('where that may pass, after it was tried for a while: %i', (status, code, told) => {
    const refusals = Array.from({ length: 50 }, () => ({ status, code }))
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
    afterEach(() => void vi.useRealTimers())

    test('clients of OpenAI are told with a status, and when to come back', async () => {
      await using fake = await fakeBackend(refusals)
      const { response } = await inTime(ask(fake, {}, undefined, status, '/v1/completions'))
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(fake.calls.length).toBeGreaterThan(3)
      expect(fake.calls.length).toBeLessThan(50)
    })

    test('ours are told in the stream, which has begun meanwhile', async () => {
      await using fake = await fakeBackend(refusals)
      const { response } = await inTime(ask(fake, ar))
      expect(fake.calls.length).toBeLessThan(12)
      const events = await inTime(response.text())
      expect(events.match(/^event: .*$/gm)).toEqual(['event: run.failed'])
      expect(events).toContain(`"code":"${told}"`)
      expect(fake.calls.length).toBeLessThan(50)
    })
  })
})
