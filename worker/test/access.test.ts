/** Who may call the worker, how often, and with how much. */
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { LEASE_MS, Leases } from '../src/access/leases.ts'
import { app } from '../src/app.ts'
import type { Bindings, RunCounterStub } from '../src/settings.ts'
import { fakeBackend } from './fake-backend.ts'
import type { FakeBackend } from './fake-backend.ts'
import { end } from './play.ts'

const log = vi.spyOn(console, 'error').mockReturnValue()
afterEach(() => void log.mockClear())
const logged = () => log.mock.calls.map(([line]) => JSON.parse(line as string) as Record<string, unknown>)

const away = { BACKEND_URL: 'http://127.0.0.1:9' }
const hash = (key: string) => createHash('sha256').update(key).digest('hex')
const left: Promise<unknown>[] = []

const waitUntil = (promise: Promise<unknown>) => void left.push(promise)
const context = { waitUntil, passThroughOnException: () => undefined, props: {} }

const ask = async (
  env: Bindings,
  {
    path = '/v1/runs',
    body = {},
    key,
    ...init
  }: Omit<RequestInit, 'body'> & { path?: string; body?: object; key?: string } = {},
) => {
  const headers = { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...(init.headers as object) }
  const sent = { method: 'POST', body: JSON.stringify(body), ...init, headers }
  return app.request(path, sent, env, context)
}
const code = async (response: Response) => [
  response.status,
  ((await response.json()) as { error: { code: string } }).error.code,
]

describe('keys of which the worker knows the hash', () => {
  const env = { ...away, API_KEYS: `app:${hash('one')}\n  batch:${hash('two')}:runs=1,tokens=5\n` }

  test.each(['one', 'two'])('let their holders in: %s', async (key) => {
    expect((await ask(env, { key })).status).toBe(400)
  })

  test('let nobody else in: not by another key, nor by the hash, nor by none', async () => {
    expect(await code(await ask(env, { key: 'three' }))).toEqual([401, 'invalid_api_key'])
    expect((await ask(env, { key: hash('one') })).status).toBe(401)
    const alike = hash('one').replace(/^./, (digit) => (digit === '0' ? '1' : '0'))
    expect((await ask({ ...away, API_KEYS: `app:${alike}` }, { key: 'one' })).status).toBe(401)
    expect((await ask(env)).status).toBe(401)
  })

  test('stand beside the one of API_KEY', async () => {
    const both = { ...env, API_KEY: 'old' }
    for (const [key, status] of [
      ['old', 400],
      ['two', 400],
      ['new', 401],
    ] as const)
      expect((await ask(both, { key })).status).toBe(status)
  })

  test.each([
    ['no hash', 'app:secret'],
    ['an unknown limit', `app:${hash('x')}:runs=1,speed=2`],
    ['a limit of none', `app:${hash('x')}:runs=0`],
    ['one name twice', `app:${hash('x')} app:${hash('y')}`],
  ])('are the operator to mend where an entry has %s, and no secret is told', async (_, API_KEYS) => {
    const response = await ask({ ...away, API_KEYS }, { key: 'secret' })
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    expect([response.status, error.code]).toEqual([500, 'not_configured'])
    expect(error.message).toContain('API_KEYS')
    expect(error.message).not.toMatch(/secret|[0-9a-f]{64}/)
  })
})

describe('a run writes as many tokens as', () => {
  const env = { API_KEYS: `small:${hash('s')}:tokens=5 other:${hash('o')}`, MAX_TOKENS: '700' }
  const asked = async (key: string, max_tokens?: number) => {
    await using fake = await fakeBackend([end])
    const body = { prompt: 'x', max_tokens, lookahead: { mode: 'ar' } }
    await (await ask({ ...env, BACKEND_URL: fake.url }, { key, body })).text()
    return fake.calls[0]!.body.max_tokens
  }
  test('its key allows', async () => expect(await asked('s', 2000)).toBe(5))
  test('the worker allows, where the key says nothing', async () => expect(await asked('o')).toBe(700))
  test('it asked for, where that is less', async () => expect(await asked('o', 20)).toBe(20))
})

test('what a key’s texts leave in the backend’s caches is its own; where no key is asked for, all share', async () => {
  const API_KEYS = `one:${hash('1')} other:${hash('2')}`
  const salt = async (env: Bindings, key?: string) => {
    await using fake = await fakeBackend([end])
    const body = { prompt: 'x', lookahead: { mode: 'ar' } }
    await (await ask({ ...env, BACKEND_URL: fake.url }, { body, ...(key ? { key } : {}) })).text()
    return fake.calls[0]!.body.context.cache_salt
  }
  const salts = [await salt({ API_KEYS }, '1'), await salt({ API_KEYS }, '2'), await salt({ API_KEY: '3' }, '3')]
  expect(new Set(salts.filter((one) => typeof one === 'string')).size).toBe(3)
  expect(await salt({ API_KEYS }, '1')).toBe(salts[0])
  expect(await salt({})).toBeUndefined()
})

/** As the Durable Object, in memory. */
function counter() {
  const leases = new Leases()
  const stub: RunCounterStub = {
    take: async (id, holder, places) => leases.take(id, holder, places, 0),
    renew: async (id, holder) => leases.renew(id, holder, 0),
    leave: async (id) => leases.leave(id),
  }
  return { leases, binding: { getByName: () => stub } }
}

describe('runs at a time', () => {
  const body = { prompt: 'x', lookahead: { mode: 'ar' } }
  const keys = `one:${hash('1')}:runs=1 other:${hash('2')}`
  const settings = ({ url }: FakeBackend, RUN_COUNTER: Bindings['RUN_COUNTER']): Bindings => ({
    BACKEND_URL: url,
    API_KEYS: keys,
    MAX_RUNS: '2',
    ...(RUN_COUNTER ? { RUN_COUNTER } : {}),
  })
  const open = { events: end.events.slice(0, 1), finally: 'hang' } as const

  test('are as many as the key has and as there are in all; a run that is over, or left, gives its place back', async () => {
    await using fake = await fakeBackend([open, open, end, end])
    const { leases, binding } = counter()
    const env = settings(fake, binding)

    const first = await ask(env, { key: '1', body })
    const refused = await ask(env, { key: '1', body })
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await code(refused)).toEqual([429, 'too_many_runs'])
    const second = await ask(env, { key: '2', body })
    expect(await code(await ask(env, { key: '2', body }))).toEqual([429, 'too_many_runs'])
    expect(fake.calls).toHaveLength(2)

    await first.body!.cancel()
    await expect.poll(() => [...leases].length).toBe(1)
    await (await ask(env, { key: '1', body })).text()
    await expect.poll(() => [...leases].length).toBe(1)
    await second.body!.cancel()
    await expect.poll(() => [...leases].length).toBe(0)
  })

  test('of clients that read nothing for CLIENT_TIMEOUT_SECONDS are over; of those that wait for text they go on', async () => {
    const some = Array.from({ length: 20 }, () => ({ type: 'delta', text: 'a' }))
    await using fake = await fakeBackend([open, open, { events: [...open.events, ...some], finally: 'hang' }])
    const { leases, binding } = counter()
    const env = {
      ...settings(fake, binding),
      MAX_RUNS: '3',
      CLIENT_TIMEOUT_SECONDS: '7',
      BACKEND_TIMEOUT_SECONDS: '3600',
    }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const read = async (response: Response, count: number) => {
      const reader = response.body!.getReader()
      for (let chunks = 0; chunks < count; chunks++) await reader.read()
      return reader
    }
    const waiting = await read(await ask(env, { key: '2', body }), 2)
    const next = waiting.read()
    const unread = await ask(env, { key: '2', body })
    await read(await ask(env, { key: '1', body }), 5)
    vi.advanceTimersByTime(6_999)
    expect([fake.left, [...leases].length]).toEqual([0, 3])
    const later = () => {
      vi.advanceTimersByTime(7_000)
      return [fake.left, fake.released.length, [...leases].length]
    }
    await expect.poll(later).toEqual([2, 2, 1])
    // There is no more, and no terminal event.
    expect(await unread.text()).not.toMatch(/run\.(completed|failed)/)
    await waiting.cancel()
    await next
    await expect.poll(() => [fake.left, [...leases].length]).toEqual([3, 0])
  })

  test.each([
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }] }],
    ['/v1/completions', { prompt: 'x' }],
    ['/v1/responses', { input: 'x' }],
  ])('of answers of %s that are cancelled unread are over, and give their place back', async (path, question) => {
    await using fake = await fakeBackend([open, open])
    const { leases, binding } = counter()
    const env = settings(fake, binding)
    for (const [i, stream] of [true, false].entries()) {
      const response = await ask(env, { path, key: '1', body: { ...question, stream, lookahead: { mode: 'ar' } } })
      expect([response.status, [...leases].length]).toEqual([200, 1])
      await response.body!.cancel()
      await expect.poll(() => [fake.left, fake.released.length, [...leases].length]).toEqual([i + 1, i + 1, 0])
    }
  })

  test('that the backend refuses keep no place', async () => {
    await using fake = await fakeBackend([{ status: 400, code: 'invalid_request' }])
    const { leases, binding } = counter()
    expect((await ask(settings(fake, binding), { key: '1', body })).status).toBe(400)
    await Promise.all(left)
    expect([...leases]).toEqual([])
  })

  test('that cannot be counted are told of where nothing counts, and let in where the counter fails', async () => {
    await using fake = await fakeBackend([end])
    expect(await code(await ask(settings(fake, undefined), { key: '1', body }))).toEqual([500, 'not_configured'])
    log.mockClear()
    const fails = async () => Promise.reject(new Error('reset'))
    const binding = { getByName: () => ({ take: fails, renew: fails, leave: fails }) }
    expect(await (await ask(settings(fake, binding), { key: '1', body })).text()).toContain('run.completed')
    expect(logged()[0]).toMatchObject({ event: 'run_counter.failed', message: 'Error: reset' })
  })

  test('of a worker that died are forgotten when their leases run out; renewed ones are not', () => {
    const leases = new Leases()
    const places = { own: 2, all: 2 }
    expect(leases.take('a', 'x', places, 0)).toBeUndefined()
    expect(leases.take('b', 'x', places, 0)).toBeUndefined()
    leases.renew('b', 'x', LEASE_MS - 1)
    expect(leases.take('c', 'x', places, LEASE_MS - 1)).toBe('own')
    expect(leases.take('c', 'x', places, LEASE_MS)).toBeUndefined()
    expect([...leases].map(([id]) => id)).toEqual(['b', 'c'])
    // A stored run whose object was lost.
    expect(leases.take('c', 'x', places, LEASE_MS)).toBeUndefined()
    expect([...leases].map(([id]) => id)).toEqual(['b', 'c'])
  })
})

test('a key that asks too often is told to wait, by its name', async () => {
  const asked: string[] = []
  const limit = async ({ key }: { key: string }) => (asked.push(key), { success: asked.length < 2 })
  const env = { ...away, API_KEYS: `app:${hash('one')}`, RATE_LIMIT: { limit } }
  expect((await ask(env, { key: 'one' })).status).toBe(400)
  const refused = await ask(env, { key: 'one' })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(10)
  expect(await code(refused)).toEqual([429, 'rate_limit_exceeded'])
  expect((await ask(env, { key: 'two' })).status).toBe(401)
  expect(asked).toEqual(['app', 'app'])
})

test('a body may have as many bytes as the operator says', async () => {
  const body = { prompt: 'x'.repeat(2000) }
  expect(await code(await ask({ ...away, MAX_BODY_BYTES: '1024' }, { body }))).toEqual([413, 'request_too_large'])
  expect(await code(await ask({ ...away, MAX_BODY_BYTES: '4096' }, { body: { ...body, no: 1 } }))).toEqual([
    400,
    'invalid_request',
  ])
})

test('uploads that do not end take so much memory at most, and leave room for small bodies', async () => {
  const uploads = new AbortController()
  const upload = () => {
    const body = new ReadableStream<Uint8Array>({
      start: (to) => {
        to.enqueue(new Uint8Array(1_000_000))
        uploads.signal.addEventListener('abort', () => to.close())
      },
    })
    const init = { method: 'POST', body, duplex: 'half' } as RequestInit
    return app.request('/v1/runs', init, away, context)
  }
  // 33 of them have as much as an isolate may give to bodies.
  const answers = Array.from({ length: 40 }, upload)
  const refused = await Promise.all(Array.from({ length: 7 }, async (_, i) => code(await answers[33 + i]!)))
  expect(new Set(refused.map(String))).toEqual(new Set(['429,overloaded']))
  expect((await ask(away)).status).toBe(400)
  uploads.abort()
  for (const answer of answers.slice(0, 33)) expect(await code(await answer)).toEqual([400, 'invalid_json'])
  expect((await ask(away, { body: { x: 'x'.repeat(900_000) } })).status).toBe(400)
})

test.each([
  [undefined, '*'],
  ['*', '*'],
  ['https://app.example,http://localhost:3000', 'https://app.example'],
  ['https://other.example', null],
  ['none', null],
])('pages may call as CORS_ORIGINS says: %s', async (CORS_ORIGINS, allowed) => {
  const env = { ...away, ...(CORS_ORIGINS ? { CORS_ORIGINS } : {}) }
  const headers = { origin: 'https://app.example', 'content-type': 'application/json' }
  const response = await ask(env, { headers })
  expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([400, allowed])
})

test('a page of another site that CORS_ORIGINS does not name gets nothing done, whatever it sends unasked', async () => {
  const origin = 'https://app.example'
  const sent = (CORS_ORIGINS: string, headers: object) =>
    ask({ ...away, CORS_ORIGINS }, { headers: { host: 'worker.example', ...headers } as Record<string, string> })
  for (const type of ['text/plain', 'text/plain;charset=UTF-8', 'multipart/form-data; boundary=x'])
    for (const from of [origin, 'null', 'https://worker.example:8787'])
      expect(await code(await sent('none', { origin: from, 'content-type': type }))).toEqual([403, 'cross_site'])
  for (const [allowed, headers] of [
    ['none', { 'content-type': 'application/json', origin }],
    ['none', { 'content-type': 'text/plain', origin: 'https://worker.example' }],
    ['none', { 'content-type': 'text/plain' }],
    [`https://other.example,${origin}`, { 'content-type': 'text/plain', origin }],
    ['*', { 'content-type': 'text/plain', origin }],
  ] as const)
    expect((await sent(allowed, headers)).status).toBe(400)
})

test.each(['MAX_BODY_BYTES', 'MAX_TOKENS', 'MAX_RUNS', 'MAX_RUNS_PER_KEY', 'CLIENT_TIMEOUT_SECONDS', 'CORS_ORIGINS'])(
  'a %s that cannot be is named, and health says so',
  async (name) => {
    const env = { ...away, [name]: '-1' }
    const headers = { origin: 'https://app.example' }
    expect(await code(await ask(env, { body: { prompt: 'x' }, headers }))).toEqual([500, 'not_configured'])
    expect(logged()[0]!.message).toContain(name)
    expect(await (await app.request('/health', {}, env)).json()).toMatchObject({ backend: 'not_configured' })
  },
)
