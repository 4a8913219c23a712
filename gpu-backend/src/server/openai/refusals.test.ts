import { describe, expect, test, vi } from 'vitest'
import { createApp } from '../app.ts'
import { complete, engine, messages, post, someTokens } from '../../../test/served.ts'

describe('wrong or unsupported input is refused, and the field named', () => {
  const prompt = 'Step'
  test.each([
    ['/v1/completions', {}, 'prompt', 400],
    ['/v1/completions', { prompt: [] }, 'prompt', 400],
    ['/v1/completions', { prompt: '' }, 'prompt', 400],
    ['/v1/completions', { prompt: [999_999] }, 'prompt', 400],
    ['/v1/completions', { prompt, max_tokens: '9' }, 'max_tokens', 400],
    ['/v1/completions', { prompt, max_tokens: 99_999 }, 'prompt', 400],
    ['/v1/completions', { prompt, temperature: -1 }, 'temperature', 400],
    ['/v1/completions', { prompt, stop: [''] }, 'stop', 400],
    ['/v1/completions', { prompt, stop: Array.from({ length: 65 }, (_, i) => `${i}`) }, 'stop', 400],
    ['/v1/completions', { prompt, stop: ['a', 'a'.repeat(1025)] }, 'stop', 400],
    ['/v1/completions', { prompt, stop: 'a'.repeat(1025) }, 'stop', 400],
    ['/v1/completions', { prompt, suffix: 'end' }, 'suffix', 400],
    ['/v1/completions', { prompt, n: 2, best_of: 3 }, 'best_of', 400],
    ['/v1/completions', { prompt, max_tokens: -1 }, 'max_tokens', 400],
    ['/v1/completions', { prompt, prompt_logprobs: 21 }, 'prompt_logprobs', 400],
    ['/v1/completions', { prompt: [prompt, prompt], n: 100 }, 'n', 400],
    ['/v1/completions', { prompt: Array.from({ length: 129 }, () => prompt) }, 'prompt', 400],
    ['/v1/completions', { prompt: someTokens(2000), n: 128, prompt_logprobs: 20, max_tokens: 0 }, 'prompt', 400],
    ['/v1/completions', { prompt: someTokens(2000), n: 7, prompt_logprobs: 20, max_tokens: 0 }, 'prompt', 400],
    [
      '/v1/completions',
      { prompt: someTokens(2000), n: 4, prompt_logprobs: 20, echo: true, logprobs: 20, max_tokens: 0 },
      'prompt',
      400,
    ],
    ['/v1/completions', { prompt, n: 2, seed: Number.MAX_SAFE_INTEGER }, 'seed', 400],
    ['/v1/completions', { prompt, logit_bias: { 999999: 1 } }, 'logit_bias', 400],
    ['/v1/completions', { prompt, stop_token_ids: [999_999] }, 'stop_token_ids', 400],
    ['/v1/completions', { prompt, stop_token_ids: [...Array(1280).keys()], min_tokens: 1 }, 'stop_token_ids', 400],
    ['/v1/completions', { prompt, logit_bias: [1, 2] }, 'logit_bias', 400],
    ['/v1/completions', { prompt, logit_bias: { constructor: 1 } }, 'logit_bias.constructor', 400],
    ['/v1/completions', { prompt, min_tokens: 17 }, 'min_tokens', 400],
    ['/v1/completions', { prompt, tools: [{}] }, 'tools', 400],
    ['/v1/completions', { prompt, functions: [{}] }, 'functions', 400],
    ['/v1/chat/completions', { messages, chat_template_kwargs: [1] }, 'chat_template_kwargs', 400],
    ['/v1/chat/completions', { messages, min_tokens: 3, max_tokens: 2 }, 'min_tokens', 400],
    ['/v1/completions', { prompt, guided_json: {} }, 'guided_json', 400],
    ['/v1/completions', { prompt, model: 'gpt-5' }, 'model', 404],
    ['/v1/completions', { prompt, model: 'judge' }, 'model', 404],
    ['/v1/chat/completions', { messages: [] }, 'messages', 400],
    ['/v1/chat/completions', { messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.role', 400],
    [
      '/v1/chat/completions',
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      'messages.0.content',
      400,
    ],
    ['/v1/chat/completions', { messages, tools: [{ type: 'function' }] }, 'tools', 400],
    ['/v1/chat/completions', { messages, tools: [{}], tool_choice: 'auto' }, 'tools', 400],
    ['/v1/chat/completions', { messages, tools: [{}], tool_choice: 'required' }, 'tool_choice', 400],
    ['/v1/chat/completions', { messages, functions: [{}] }, 'functions', 400],
    ['/v1/chat/completions', { messages, response_format: { type: 'json_object' } }, 'response_format.type', 400],
    ['/v1/chat/completions', { messages, top_logprobs: 2 }, 'top_logprobs', 400],
    ['/v1/chat/completions', { messages, max_tokens: 4096 }, 'messages', 400],
    ['/tokenize', {}, null, 400],
    ['/tokenize', { prompt, messages }, null, 400],
    ['/detokenize', { tokens: [999_999] }, 'tokens', 400],
  ])('%s %j', async (url, body, param, status) => {
    const response = await post(url, body)
    const { error } = (await response.json()) as { error: { message: string; param: string } }
    expect([response.status, error.param]).toEqual([status, param])
  })

  test('unknown fields, neutral ones and null are not', async () => {
    const none = { surprise: 1, user: 'me', suffix: null, best_of: 1, stop: null, n: null, response_format: null }
    expect((await complete({ prompt, ...none })).usage.completion_tokens).toBe(16)
    const most = { stop: Array.from({ length: 64 }, (_, i) => `${i}`.padEnd(1024, '#')) }
    expect((await complete({ prompt, ...most })).usage.completion_tokens).toBe(16)
    for (const neutral of [
      { tools: [], tool_choice: 'auto', functions: null, response_format: { type: 'text' }, stop: [] },
      {
        tools: [{ type: 'function' }],
        tool_choice: 'none',
        stop: '',
        logprobs: false,
        n: 1,
        parallel_tool_calls: true,
      },
      { functions: [{ name: 'f' }], function_call: 'none', modalities: ['text'], store: true, metadata: { a: 'b' } },
    ])
      expect((await post('/v1/chat/completions', { messages, max_tokens: 1, ...neutral })).status).toBe(200)
  })
})

test('what is certainly too long is refused before it is tokenized', async () => {
  const { tokenizer } = engine.target.model
  const reading = (['encode', 'encodeAsync', 'renderChat'] as const).map((name) => vi.spyOn(tokenizer, name))
  const long = '\n'.repeat(1_000_000)
  const many = Array.from({ length: 40_000 }, () => 'a')
  const [user] = messages
  const bodies: [string, object, string, string][] = [
    ['/v1/completions', { prompt: long, max_tokens: 1 }, 'prompt', 'context_length_exceeded'],
    ['/v1/completions', { prompt: many, max_tokens: 1 }, 'prompt', 'invalid_request'],
    ['/v1/chat/completions', { messages: [{ ...user, content: long }] }, 'messages', 'context_length_exceeded'],
    ['/v1/verify', { context: { id: 'a', prompt: long }, max_tokens: 1 }, 'context.prompt', 'context_length_exceeded'],
    [
      '/v1/verify',
      { context: { id: 'a', messages: [{ ...user, content: long }] }, max_tokens: 1 },
      'context.messages',
      'context_length_exceeded',
    ],
    ['/tokenize', { prompt: long }, 'prompt', 'context_length_exceeded'],
    ['/tokenize', { messages: [{ ...user, content: long }] }, 'messages', 'context_length_exceeded'],
  ]
  for (const [url, body, param, code] of bodies) {
    const response = await post(url, body)
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param, code } }])
  }
  for (const read of reading) expect(read).not.toHaveBeenCalled()
  vi.restoreAllMocks()
})

test.each([
  ['/detokenize', 'tokens', 2 ** 20, -1],
  ['/v1/completions', 'stop_token_ids', 2 ** 20, -1],
  ['/v1/chat/completions', 'messages', 4096, { role: 'nobody' }],
  ['/v1/completions', 'prompt', 128, []],
])('%s: where %s has more than %i entries, none of them is looked at', async (url, field, most, item) => {
  const response = await post(url, { prompt: 'x', messages, [field]: Array.from({ length: most + 1 }, () => item) })
  const { error } = (await response.json()) as { error: { message: string; param: string } }
  expect([response.status, error.param]).toEqual([400, field])
  expect(error.message).toContain(`${most}`)
})

test('a text of combining marks without end is refused as soon as any other that is too long', async () => {
  const prompt = `a${'\u0301\u0323'.repeat(50_000)}`
  const response = await post('/v1/completions', { prompt, max_tokens: 1 })
  expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'context_length_exceeded' } }])
})

test('what fails before the first text has its own status', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const forward = vi.spyOn(engine.draft!.model, 'forward').mockRejectedValue(new Error('staged'))
  for (const stream of [true, false]) {
    const response = await post('/v1/completions', { prompt: ['Step one', 'x'], model: 'draft', stream })
    expect([response.status, await response.json()]).toMatchObject([500, { error: { code: 'internal_error' } }])
  }
  forward.mockRestore()
  log.mockRestore()
})

test('with a token set, all of it asks for the token', async () => {
  const guarded = createApp({ engine: () => engine, draining: () => false, token: 'secret' })
  for (const url of ['/v1/completions', '/v1/chat/completions', '/tokenize', '/detokenize'])
    expect((await post(url, {}, guarded)).status).toBe(401)
  expect((await guarded.request('/metrics')).status).toBe(401)
})
