/** What comes of requests of OpenAI's dialects: names, statuses, failures, clients that leave. */
import { describe, expect, test, vi } from 'vitest'
import { app } from '../src/app.ts'
import { patientJson } from '../src/routes/openai/patient-json.ts'
import type { Bindings } from '../src/settings.ts'
import { ask, messages, paths, play } from './ask-openai.ts'
import { commits, context, fakeBackend } from './fake-backend.ts'
import type { Reply } from './fake-backend.ts'

vi.spyOn(console, 'error').mockReturnValue()

test('answers carry the name that was asked for, and the request id of the run', async () => {
  const { text, headers } = await play('/v1/chat/completions', { model: 'mine:ar' }, { MODEL_NAME: 'mine' })
  const { id, model } = JSON.parse(text) as { id: string; model: string }
  expect([id, model]).toEqual([`chatcmpl-${headers.get('x-request-id')}`, 'mine:ar'])
  expect(JSON.parse((await play('/v1/responses', {}, { MODEL_NAME: 'mine' })).text)).toMatchObject({ model: 'mine' })
})

test.each(['gpt-5', 'draft', 'target:', 'target:fast', 'target:ar:ar', 'target:exact:ar', 'mine2'])(
  'a model that cannot be asked is told with those that can: %s',
  async (model) => {
    for (const path of paths) {
      const response = await ask({ BACKEND_URL: 'http://127.0.0.1:9', MODEL_NAME: 'mine' }, path, { model })
      const { error } = (await response.json()) as { error: { code: string; param: string; message: string } }
      expect([response.status, error.code, error.param]).toEqual([404, 'model_not_found', 'model'])
      expect(error.message).toMatch(/"mine" or "target"/)
    }
  },
)

const failed = { message: 'm', type: 't', param: null, code: 'internal_error' }

describe('what fails before there is text has its own status, streaming or not', () => {
  test.each<[Reply, number, string]>([
    [{ status: 400, code: 'context_length_exceeded' }, 400, 'context_length_exceeded'],
    [{ status: 400, code: 'invalid_request' }, 400, 'invalid_request'],
    [{ status: 500, code: 'internal_error' }, 502, 'target_failed'],
    [{ status: 401, code: 'invalid_api_key' }, 502, 'backend_unauthorized'],
    [{ events: [context(), { type: 'error', error: failed }] }, 502, 'target_failed'],
  ])('%j', async (reply, status, code) => {
    for (const path of paths)
      for (const stream of [true, false]) {
        const answer = await play(path, { stream }, {}, [reply])
        expect([answer.status, JSON.parse(answer.text)]).toMatchObject([status, { error: { code } }])
      }
  })

  test('and tells when to come again, where that may help', async () => {
    const away = Array.from({ length: 50 }, () => ({ status: 503, code: 'loading' }))
    const answer = await play('/v1/chat/completions', {}, { BACKEND_TIMEOUT_SECONDS: '1' }, away)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^[1-4]$/)])
  })
})

test('what fails after that: an error in the stream, a status for one piece', async () => {
  const cut: Reply = { events: [context(), { type: 'delta', text: 'half' }], finally: 'cut' }
  const streamed = await play('/v1/chat/completions', { stream: true }, {}, [cut])
  expect(streamed.text).toMatch(/half[^]*data: \{"error":\{[^]*"code":"target_unavailable"[^]*\n\n$/)
  expect((await play('/v1/chat/completions', {}, {}, [cut])).status).toBe(503)
})

test('the key is asked for in the words of OpenAI', async () => {
  for (const path of paths) {
    const response = await ask({ BACKEND_URL: 'http://127.0.0.1:9', API_KEY: 'secret' }, path, {})
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_api_key', type: 'invalid_request_error' } })
  }
})

test('leaving a stream, and leaving an answer that is waited for, end the run at the backend', async () => {
  const slow: Reply = { events: [context(), { type: 'delta', text: 'half' }], finally: 'hang' }
  await using fake = await fakeBackend([slow, slow])
  const runtime = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
  const controller = new AbortController()
  const request = (stream: boolean) =>
    new Request('http://worker.test/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({ messages, stream, lookahead: { mode: 'ar' } }),
      signal: controller.signal,
    })
  const response = await app.fetch(request(true), { BACKEND_URL: fake.url }, runtime)
  await response.body!.cancel()
  await expect.poll(() => fake.left).toBe(1)
  const whole = app.fetch(request(false), { BACKEND_URL: fake.url }, runtime)
  await expect.poll(() => fake.calls.length).toBe(2)
  controller.abort()
  await whole
  await expect.poll(() => fake.left).toBe(2)
})

test('an answer in one piece that takes long begins with white space; if it fails then, it breaks off', async () => {
  const { promise, resolve, reject } = Promise.withResolvers<object>()
  const response = patientJson(promise, 5, () => undefined)
  const reader = response.body!.getReader()
  const next = async () => new TextDecoder().decode((await reader.read()).value)
  expect([await next(), await next()]).toEqual(['\n', '\n'])
  resolve({ a: 1 })
  let rest = ''
  for (let text = await next(); text !== ''; text = await next()) rest += text
  expect(JSON.parse(rest)).toEqual({ a: 1 })
  reject(new Error('too late'))
  await expect(patientJson(Promise.reject(new Error('lost')), 5, () => undefined).text()).rejects.toThrow('lost')
})

test('a cycle with steps is told beside the text', async () => {
  const { text } = await play(
    '/v1/chat/completions',
    { stream: true, lookahead: { mode: 'lr+sd', pipelined: false } },
    {},
    [
      {
        events: [
          context(),
          { type: 'step', id: 's0', index: 0, text: 'a\n\n', tokens: 1, end: 'delimiter' },
          { type: 'done', usage: { prompt_tokens: 5, completion_tokens: 1 }, timings: { total_ms: 1, forwards: 1 } },
        ],
      },
      commits([[true, 'judge']], {
        text: 'a\n\n</think>\n\n3',
        tokens: [1, 2],
        correction: '</think>\n\n3',
        finish: 'stop',
      }),
    ],
  )
  expect(text).toMatch(/"lookahead":\{"events":\[\{"type":"step.drafted"/)
  expect(text).toContain('"reason":"judge"')
})

describe('the models that can be asked', () => {
  const model = (role: string) => ({
    id: role,
    object: 'model',
    created: 1,
    owned_by: 'lookahead',
    role,
    parameters: 9,
    max_model_len: 99,
  })
  const body = JSON.stringify({ object: 'list', data: [model('target'), model('draft'), model('judge')] })
  const get = async (path: string, env: Bindings, models: { status: number; body: string }) => {
    await using fake = await fakeBackend([], { models })
    const response = await app.request(path, {}, { BACKEND_URL: fake.url, ...env })
    return { status: response.status, headers: response.headers, told: await response.json() }
  }

  test("are the target, by each of its names, and not the target's helpers", async () => {
    const named = { MODEL_NAME: 'mine' }
    const mine = { ...model('target'), id: 'mine' }
    expect((await get('/v1/models', {}, { status: 200, body })).told).toMatchObject({ data: [model('target')] })
    expect((await get('/v1/models', named, { status: 200, body })).told).toEqual({
      object: 'list',
      data: [mine, model('target')],
    })
    expect((await get('/v1/models/mine', named, { status: 200, body })).told).toEqual(mine)
    expect(await get('/v1/models/draft', named, { status: 200, body })).toMatchObject({
      status: 404,
      told: { error: { code: 'model_not_found', param: 'model' } },
    })
  })

  test('cannot be told while the backend does not tell', async () => {
    const said = { message: 'loading /home/me/secret', type: 'server_error', param: null, code: 'loading' }
    const loading = await get('/v1/models', {}, { status: 503, body: JSON.stringify({ error: said }) })
    const error = { ...said, message: 'the backend is loading its models' }
    expect([loading.status, loading.told, loading.headers.get('retry-after')]).toEqual([503, { error }, '1'])
    expect(await get('/v1/models', {}, { status: 418, body: JSON.stringify({ error: said }) })).toMatchObject({
      status: 502,
      told: { error: { code: 'backend_failed' } },
    })
    expect(await get('/v1/models', {}, { status: 200, body: '<h1>' })).toMatchObject({
      status: 502,
      told: { error: { code: 'backend_failed' } },
    })
  })
})
