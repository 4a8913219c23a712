/** The worker's HTTP surface, as a function: what it makes of its settings, of a backend that refuses it, and of failures. */
import { RunEvent, readEvents } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { app } from '../src/app.ts'
import type { Bindings } from '../src/settings.ts'
import { context, fakeBackend } from './fake-backend.ts'
import type { Reply } from './fake-backend.ts'
import { end } from './play.ts'

const log = vi.spyOn(console, 'error').mockReturnValue()
afterEach(() => void log.mockClear())
const logged = () => log.mock.calls.map(([line]) => JSON.parse(line as string) as Record<string, unknown>)

const request = async (path: string, env: Bindings, init?: RequestInit): Promise<Response> =>
  app.request(path, init, env, { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} })

const ask = (env: Bindings, body: object = { prompt: 'x', lookahead: { mode: 'ar' } }, headers = {}) =>
  request('/v1/runs', env, { method: 'POST', headers, body: JSON.stringify(body) })

async function read(response: Response): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const { data } of readEvents(response.body!)) events.push(v.parse(RunEvent, JSON.parse(data)))
  return events
}

const healthy = { health: { status: 200, body: '{"status":"ok","slots":{}}' } }

describe('the API key', () => {
  const env = { API_KEY: 'secret', BACKEND_URL: 'http://127.0.0.1:9' }

  test.each(['Bearer secret', 'bearer secret', 'BEARER  secret'])('is taken as "%s"', async (authorization) => {
    expect((await ask(env, {}, { authorization })).status).toBe(400)
  })

  test.each([
    ['nothing', {}, 'Bearer realm="lookahead"'],
    ['another key', { authorization: 'Bearer other' }, 'Bearer error="invalid_token"'],
    ['another scheme', { authorization: 'Basic c2VjcmV0' }, 'Bearer error="invalid_request"'],
    ['no scheme', { authorization: 'secret' }, 'Bearer error="invalid_request"'],
  ])('is asked for again where %s was shown', async (_, headers, challenge) => {
    const response = await ask(env, {}, headers)
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, challenge])
    expect(response.headers.get('x-request-id')).toBeTruthy()
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_api_key', type: 'invalid_request_error' } })
  })

  test('is not needed where none is set', async () => {
    expect((await ask({ BACKEND_URL: env.BACKEND_URL }, {})).status).toBe(400)
  })
})

describe('a setting that cannot be', () => {
  test.each<[string, Bindings]>([
    ['no address', {}],
    ['an engine that there is none of', { ENGINE: 'steam', BACKEND_URL: 'http://127.0.0.1:9' }],
    ['an address without scheme', { BACKEND_URL: 'localhost:8600' }],
    ['an address among others that is none', { BACKEND_URL: 'http://127.0.0.1:9, localhost:8600' }],
    ['an address with credentials', { BACKEND_URL: 'http://user:secret@127.0.0.1' }],
    ['a time that is none', { BACKEND_URL: 'http://127.0.0.1:9', BACKEND_TIMEOUT_SECONDS: 'soon' }],
    ['a token that no header carries', { BACKEND_URL: 'http://127.0.0.1:9', BACKEND_TOKEN: 'schlüssel' }],
    ['a key that no client could show', { BACKEND_URL: 'http://127.0.0.1:9', API_KEY: 'two words' }],
  ])('is named, logged, and never tried: %s', async (_, env) => {
    const response = await ask(env, undefined, { authorization: 'Bearer two words' })
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    expect([response.status, error.code]).toEqual([500, 'not_configured'])
    expect(error.message).toMatch(/BACKEND_URL|BACKEND_TOKEN|BACKEND_TIMEOUT_SECONDS|API_KEY|ENGINE/)
    expect(error.message).not.toMatch(/secret|two words/)
    expect(logged()).toMatchObject([{ event: 'request.failed', status: 500, code: 'not_configured' }])
    const health = await request('/health', env)
    expect([health.status, await health.json()]).toEqual([503, { status: 'degraded', backend: 'not_configured' }])
  })
})

describe('a backend that refuses the worker', () => {
  test.each([undefined, 'wrong'])('is the operator to blame, not the user: token %s', async (BACKEND_TOKEN) => {
    await using fake = await fakeBackend([], { token: 'right', ...healthy })
    const env: Bindings = { BACKEND_URL: fake.url, ...(BACKEND_TOKEN ? { BACKEND_TOKEN } : {}) }

    const run = await ask(env, { prompt: 'x' })
    expect(run.status).toBe(502)
    expect(await run.json()).toMatchObject({
      error: { code: 'backend_unauthorized', message: expect.stringContaining('BACKEND_TOKEN') },
    })

    const models = await request('/v1/models', env)
    expect(models.status).toBe(502)
    expect(await models.json()).toMatchObject({ error: { code: 'backend_unauthorized', type: 'server_error' } })

    const health = await request('/health', env)
    expect([health.status, await health.json()]).toEqual([503, { status: 'degraded', backend: 'unauthorized' }])
  })

  test('is asked through the binding, where there is one', async () => {
    await using fake = await fakeBackend([end], healthy)
    const asked: string[] = []
    const through: typeof fetch = async (input, init) => {
      const url = input instanceof Request ? input.url : input.toString()
      asked.push(new URL(url).pathname)
      return fetch(url.replace('http://gpu.internal', fake.url), init)
    }
    const env: Bindings = { BACKEND_URL: 'http://gpu.internal', BACKEND: { fetch: through } }
    expect((await read(await ask(env))).at(-1)).toMatchObject({ type: 'run.completed' })
    expect((await request('/health', env)).status).toBe(200)
    expect(asked).toEqual(expect.arrayContaining(['/v1/verify', '/health', '/v1/models']))
  })

  test('is asked with the token', async () => {
    await using fake = await fakeBackend([end], { token: 'right', ...healthy })
    const env: Bindings = { BACKEND_URL: fake.url, BACKEND_TOKEN: 'right' }
    expect((await read(await ask(env))).at(-1)).toMatchObject({ type: 'run.completed' })
    expect((await request('/v1/models', env)).status).toBe(200)
    const health = await request('/health', env)
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok', backend: 'ok' }])
  })
})

test.each([
  [503, '{"status":"loading"}', 'loading'],
  [503, '{"status":"draining"}', 'draining'],
  [503, '{"status":"failing"}', 'failing'],
  [200, '<h1>Welcome</h1>', 'unreachable'],
  [502, '', 'unreachable'],
])('health passes on what the backend says of itself: %i %s', async (status, body, backend) => {
  await using fake = await fakeBackend([], { health: { status, body } })
  const health = await request('/health', { BACKEND_URL: fake.url })
  expect([health.status, await health.json()]).toEqual([503, { status: 'degraded', backend }])
})

test('a backend that is not there', async () => {
  const env = { BACKEND_URL: 'http://127.0.0.1:9' }
  expect(await (await request('/health', env)).json()).toEqual({ status: 'degraded', backend: 'unreachable' })
  const models = await request('/v1/models', env)
  expect([models.status, models.headers.get('retry-after')]).toEqual([503, '2'])
  expect(logged()).toMatchObject([{ event: 'request.failed', path: '/v1/models', code: 'backend_unreachable' }])
})

describe('several backends', () => {
  const models = {
    status: 200,
    body: JSON.stringify({
      object: 'list',
      data: [
        {
          id: 'target',
          object: 'model',
          created: 1,
          owned_by: 'x',
          role: 'target',
          parameters: 7,
          max_model_len: 2048,
        },
      ],
    }),
  }

  test('are well as long as one of them is; details tell of each', async () => {
    await using loading = await fakeBackend([{ status: 503, code: 'loading' }], { models: { status: 503, body: '{}' } })
    await using well = await fakeBackend([end], { ...healthy, models })
    const env = { BACKEND_URL: ` http://127.0.0.1:9/,${loading.url}, ${well.url}/ ` }
    const health = await request('/health', env)
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok', backend: 'ok' }])
    const details = (await (await request('/health?details', env)).json()) as object
    expect(details).toMatchObject({ backends: ['unreachable', 'loading', 'ok'] })
    expect(JSON.stringify(details)).not.toContain('127.0.0.1')
    const listed = await request('/v1/models', env)
    expect([listed.status, await listed.json()]).toMatchObject([200, { data: [{ id: 'target', parameters: 7 }] }])
    expect((await read(await ask(env))).at(-1)).toMatchObject({ type: 'run.completed' })
  })

  test('of which none is, are as the first of them is', async () => {
    await using loading = await fakeBackend([])
    const health = await request('/health', { BACKEND_URL: `${loading.url},http://127.0.0.1:9` })
    expect([health.status, await health.json()]).toEqual([503, { status: 'degraded', backend: 'loading' }])
    expect((await request('/v1/models', { BACKEND_URL: 'http://127.0.0.1:9,http://127.0.0.1:19' })).status).toBe(503)
  })
})

describe('the log has one line of JSON', () => {
  test.each(['/v1/runs', '/v1/completions'])(
    'for a run that failed before its answer had a status: %s',
    async (path) => {
      await using fake = await fakeBackend([{ status: 500, code: 'internal_error' }])
      const body = JSON.stringify({ prompt: 'x', lookahead: { mode: 'ar' } })
      const response = await request(path, { BACKEND_URL: fake.url }, { method: 'POST', body })
      const requestId = response.headers.get('x-request-id')
      expect([response.status, await response.json()]).toMatchObject([502, { error: { code: 'target_failed' } }])
      expect(logged()).toMatchObject([
        {
          event: 'run.failed',
          run_id: requestId,
          request_id: requestId,
          caller: 'anybody',
          phase: 'decode',
          code: 'target_failed',
          message: 'the backend failed',
          backend_code: 'internal_error',
          backend_status: 500,
          backend_host: new URL(fake.url).host,
          cause: '"internal_error, in its own words"',
        },
      ])
      expect(fake.calls).toMatchObject([{ requestId }])
    },
  )

  test('for a run that goes on without its draft, and for how it ends', async () => {
    const cut: Reply = { events: [context()], finally: 'cut' }
    await using fake = await fakeBackend([cut, cut, { events: [context(), { type: 'verdict' }] }])
    await read(await ask({ BACKEND_URL: fake.url }, { prompt: 'x', lookahead: { pipelined: false } }))
    expect(logged()).toMatchObject([
      { event: 'run.degraded', phase: 'draft', code: 'stream_cut' },
      { event: 'run.failed', phase: 'decode', code: 'target_failed', backend_code: 'bad_event' },
    ])
  })

  test('and none for a run that went well', async () => {
    await using fake = await fakeBackend([end])
    await read(await ask({ BACKEND_URL: fake.url }))
    expect(logged()).toEqual([])
  })
})
