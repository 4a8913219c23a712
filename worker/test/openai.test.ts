/** What clients of OpenAI's API may send to the worker, what they may not, and what comes of it. */
import { describe, expect, test, vi } from 'vitest'
import { app } from '../src/app.ts'
import { patientJson } from '../src/routes/openai/patient-json.ts'
import type { Bindings } from '../src/settings.ts'
import { commits, context, fakeBackend } from './fake-backend.ts'
import type { Reply } from './fake-backend.ts'
import { end } from './play.ts'

vi.spyOn(console, 'error').mockReturnValue()

const messages = [{ role: 'user', content: 'What is 1 + 2?' }]
const minimal: Record<string, object> = {
  '/v1/chat/completions': { messages },
  '/v1/completions': { prompt: 'x' },
  '/v1/responses': { input: 'x' },
}
const paths = Object.keys(minimal)

async function ask(env: Bindings, path: string, body: object, headers = {}): Promise<Response> {
  const runtime = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
  // `ar`: one call of the backend.
  const asked = { ...minimal[path], lookahead: { mode: 'ar' }, ...body }
  return app.request(path, { method: 'POST', headers, body: JSON.stringify(asked) }, env, runtime)
}

/** The answer to a request, and what the backend was asked for it. */
async function play(path: string, body: object, env: Bindings = {}, replies: Reply[] = [end]) {
  await using fake = await fakeBackend(replies)
  const response = await ask({ BACKEND_URL: fake.url, ...env }, path, body)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, asked: fake.calls[0]?.body as never }
}

const refusal = async (response: Response) =>
  [response.status, ((await response.json()) as { error: { param: string | null } }).error.param] as const

describe('ordinary parameters fail no client', () => {
  const harmless = {
    n: 1,
    user: 'me',
    stop: null,
    seed: null,
    logprobs: null,
    top_logprobs: 0,
    presence_penalty: 0,
    frequency_penalty: 0,
    logit_bias: {},
    service_tier: 'auto',
    store: true,
    stream_options: null,
    something_of_tomorrow: { a: 1 },
  }
  test.each([
    ['/v1/chat/completions', harmless],
    [
      '/v1/chat/completions',
      { stop: '', tools: [], tool_choice: 'auto', response_format: { type: 'text' }, logprobs: false },
    ],
    [
      '/v1/chat/completions',
      { stop: [], tools: [{ type: 'function' }], tool_choice: 'none', parallel_tool_calls: true },
    ],
    [
      '/v1/chat/completions',
      { functions: [{ name: 'f' }], function_call: 'none', modalities: ['text'], reasoning_effort: 'low' },
    ],
    ['/v1/chat/completions', { stream: true, stream_options: { include_usage: true, include_obfuscation: false } }],
    ['/v1/completions', { ...harmless, echo: false, best_of: 1, suffix: null }],
    ['/v1/completions', { prompt: ['one'] }],
    [
      '/v1/responses',
      { ...harmless, tools: [], tool_choice: 'auto', text: { format: { type: 'text' }, verbosity: 'low' } },
    ],
    [
      '/v1/responses',
      { reasoning: { effort: 'low' }, include: [], truncation: 'auto', background: false, metadata: { a: 'b' } },
    ],
  ])('%s %j', async (path, body) => {
    const { status, text } = await play(path, body)
    expect([status, text]).toEqual([200, expect.stringContaining('boxed{3}')])
  })
})

describe('what cannot be done is refused, and the field named', () => {
  test.each([
    ...paths.flatMap((path): [string, object, string][] => [
      [path, { n: 2 }, 'n'],
      [path, { logit_bias: { 5: 1 } }, 'logit_bias'],
      [path, { presence_penalty: 0.5 }, 'presence_penalty'],
      [path, { top_logprobs: 3 }, 'top_logprobs'],
      [path, { temperature: 3 }, 'temperature'],
      [path, { stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
      [path, { stream: 'yes' }, 'stream'],
      [path, { lookahead: { gamma: 3 } }, 'lookahead.gamma'],
    ]),
    ['/v1/chat/completions', { messages: [] }, 'messages'],
    ['/v1/chat/completions', { messages: undefined }, 'messages'],
    ['/v1/chat/completions', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.role'],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages.0.content'],
    ['/v1/chat/completions', { messages: [{ role: 'assistant', tool_calls: [{}] }] }, 'messages.0.tool_calls'],
    ['/v1/chat/completions', { tools: [{ type: 'function' }] }, 'tools'],
    ['/v1/chat/completions', { tools: [{ type: 'function' }], tool_choice: 'required' }, 'tool_choice'],
    ['/v1/chat/completions', { functions: [{ name: 'f' }] }, 'functions'],
    ['/v1/chat/completions', { response_format: { type: 'json_schema' } }, 'response_format.type'],
    ['/v1/chat/completions', { logprobs: true }, 'logprobs'],
    ['/v1/chat/completions', { modalities: ['text', 'audio'] }, 'modalities.1'],
    ['/v1/chat/completions', { max_tokens: 0 }, 'max_tokens'],
    ['/v1/completions', { prompt: ['a', 'b'] }, 'prompt'],
    ['/v1/completions', { prompt: [1, 2] }, 'prompt'],
    ['/v1/completions', { logprobs: 0 }, 'logprobs'],
    ['/v1/completions', { echo: true }, 'echo'],
    ['/v1/completions', { suffix: 'end' }, 'suffix'],
    ['/v1/completions', { best_of: 2 }, 'best_of'],
    ['/v1/responses', { input: '' }, 'input'],
    ['/v1/responses', { input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'input.0.content'],
    ['/v1/responses', { input: [{ type: 'function_call_output', output: 'x' }] }, 'input.0.type'],
    ['/v1/responses', { previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['/v1/responses', { background: true }, 'background'],
    ['/v1/responses', { tools: [{ type: 'web_search' }] }, 'tools'],
    ['/v1/responses', { text: { format: { type: 'json_schema' } } }, 'text.format.type'],
  ] as [string, object, string][])('%s %j', async (path, body, param) => {
    const response = await ask({ BACKEND_URL: 'http://127.0.0.1:9' }, path, body)
    expect(await refusal(response)).toEqual([400, param])
    expect(response.headers.get('x-request-id')).toBeTruthy()
  })
})

describe('a request becomes a run', () => {
  test('of a chat: roles, parts of text, sampling, limits', async () => {
    const { asked } = await play('/v1/chat/completions', {
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'assistant', content: null, reasoning_content: 'Hm.', refusal: null },
        {
          role: 'user',
          name: 'ann',
          content: [
            { type: 'text', text: 'One,' },
            { type: 'text', text: 'two?' },
          ],
        },
      ],
      temperature: 0.5,
      top_k: -1,
      min_p: 0.1,
      seed: 7,
      stop: 'END',
      stop_in_reasoning: true,
      max_tokens: 3,
      max_completion_tokens: 9,
    })
    expect(asked).toMatchObject({
      context: {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'assistant', content: '' },
          { role: 'user', content: 'One,\ntwo?' },
        ],
      },
      sampling: { temperature: 0.5, top_k: 0, min_p: 0.1, seed: 7 },
      stop: ['END'],
      stop_in_reasoning: true,
      max_tokens: 9,
    })
  })

  test('of a completion: the prompt as it stands, 16 tokens', async () => {
    expect((await play('/v1/completions', { prompt: ' x\n' })).asked).toMatchObject({
      context: { prompt: ' x\n' },
      max_tokens: 16,
    })
  })

  test('of a response: instructions first, earlier answers without their thoughts', async () => {
    const { asked } = await play('/v1/responses', {
      instructions: 'Be brief.',
      input: [
        { role: 'user', content: 'One?' },
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Two.', annotations: [] }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Three?' }] },
      ],
      max_output_tokens: 9,
    })
    expect(asked).toMatchObject({
      context: {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'One?' },
          { role: 'assistant', content: 'Two.' },
          { role: 'user', content: 'Three?' },
        ],
      },
      max_tokens: 9,
    })
  })

  const sd = { mode: 'sd' }
  test.each([
    ['target', sd, { ngram: 8 }, 'judge'],
    ['target:ar', undefined, { ngram: 0 }, 'judge'],
    ['target:sd:exact', undefined, { ngram: 8 }, 'exact'],
    ['target:exact', sd, { ngram: 8 }, 'exact'],
    ['target:ar', { mode: 'sd', verifier: 'score' }, { ngram: 8 }, 'score'],
    ['qwen:8b:ar', undefined, { ngram: 0 }, 'judge'],
    ['qwen:8b', sd, { ngram: 8 }, 'judge'],
  ])('of the model "%s" with lookahead %j', async (model, lookahead, speculation, verifier) => {
    const { asked } = await play('/v1/chat/completions', { model, lookahead }, { MODEL_NAME: 'qwen:8b' })
    expect(asked).toMatchObject({ verifier, speculation })
  })
})

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

describe('what fails before there is text has its own status, streaming or not', () => {
  test.each<[Reply, number, string]>([
    [{ status: 400, code: 'context_length_exceeded' }, 400, 'context_length_exceeded'],
    [{ status: 400, code: 'invalid_request' }, 400, 'invalid_request'],
    [{ status: 500, code: 'internal_error' }, 502, 'target_failed'],
    [{ status: 401, code: 'invalid_api_key' }, 502, 'backend_unauthorized'],
  ])('%j', async (reply, status, code) => {
    for (const path of paths)
      for (const stream of [true, false]) {
        const answer = await play(path, { stream }, {}, [reply])
        expect([answer.status, JSON.parse(answer.text)]).toMatchObject([status, { error: { code } }])
      }
  })

  test('and tells when to come again, where that may help', async () => {
    const answer = await play('/v1/chat/completions', {}, {}, Array<Reply>(3).fill({ status: 503, code: 'loading' }))
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
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
    const error = { message: 'the models are still loading', type: 'server_error', param: null, code: 'loading' }
    const loading = await get('/v1/models', {}, { status: 503, body: JSON.stringify({ error }) })
    expect([loading.status, loading.told, loading.headers.get('retry-after')]).toEqual([503, { error }, '1'])
    expect(await get('/v1/models', {}, { status: 200, body: '<h1>' })).toMatchObject({
      status: 502,
      told: { error: { code: 'backend_failed' } },
    })
  })
})
