import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readEvents } from '@lookahead/sdk/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import { createApp } from '../app.ts'

const models = path.join(import.meta.dirname, '../../../models')
let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 4096 })
})
afterAll(() => engine.close())
afterEach(() => {
  for (const { decoder } of engine.decoders) {
    decoder.kv.assertIdle()
    decoder.kv.prefixes.evict(Infinity)
    expect(decoder.kv.pool.available).toBe(decoder.kv.pool.size)
  }
})

const app = createApp({ engine: () => engine, draining: () => false })
const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]
const post = (url: string, body: object, on = app) => on.request(url, { method: 'POST', body: JSON.stringify(body) })

async function answer<T>(url: string, body: object, on = app): Promise<T> {
  const response = await post(url, body, on)
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

interface Completion {
  choices: { index: number; text: string; finish_reason: string; token_ids: number[]; prompt_token_ids: number[] }[]
  usage: {
    prompt_tokens: number
    completion_tokens: number
    total_tokens: number
    prompt_tokens_details: { cached_tokens: number }
  }
}
const complete = (body: object) => answer<Completion>('/v1/completions', { model: 'draft', temperature: 0, ...body })

const someTokens = (length: number): number[] => Array.from({ length }, (_, i) => i % 1000)

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
    ['/v1/chat/completions', { messages, response_format: { type: 'json_object' } }, 'response_format.type', 400],
    ['/v1/chat/completions', { messages, top_logprobs: 2 }, 'top_logprobs', 400],
    ['/v1/chat/completions', { messages, max_tokens: 2048 }, 'messages', 400],
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
    const neutral = { tools: [], tool_choice: 'none', functions: null, response_format: { type: 'text' } }
    expect((await post('/v1/chat/completions', { messages, max_tokens: 1, ...neutral })).status).toBe(200)
  })
})

test('a batch: n texts for each prompt, text or tokens, each as it is alone', async () => {
  const first = engine.target.model.tokenizer.encode('Step one')
  const batch = await complete({ prompt: [first, [first[0]!]], n: 2, return_token_ids: true })
  expect(batch.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3])
  const [alone] = (await complete({ prompt: 'Step one' })).choices
  for (const choice of batch.choices.slice(0, 2))
    expect(choice).toMatchObject({ text: alone!.text, finish_reason: 'length', prompt_token_ids: first })
  for (const { token_ids } of batch.choices) expect(token_ids.length).toBe(16)
  expect(batch.usage).toMatchObject({
    prompt_tokens: first.length + 1,
    completion_tokens: 64,
    total_tokens: first.length + 65,
  })
})

test('texts of one prompt differ, and the same seed brings them back', async () => {
  const texts = async (seed: number) =>
    (await complete({ prompt: 'Step', n: 3, seed, temperature: 1.5 })).choices.map(({ text }) => text)
  const three = await texts(4)
  expect(new Set(three).size).toBe(3)
  expect(await texts(4)).toEqual(three)
  expect(await texts(-1)).not.toEqual(await texts(-1))
})

test("what a request leaves out is the model's own, whichever writes", async () => {
  const model = engine.draft!.model
  const { generation } = model
  const body = { prompt: 'Ann has 12 apples', max_tokens: 30, ignore_eos: true, seed: 3, speculation: { ngram: 0 } }
  const text = async (more: object) => (await complete({ ...body, ...more })).choices[0]!.text
  const greedy = await text({ temperature: 0 })
  Object.defineProperty(model, 'generation', { value: { ...generation, temperature: 0 }, configurable: true })
  try {
    expect(await text({ temperature: null })).toBe(greedy)
  } finally {
    Object.defineProperty(model, 'generation', { value: generation, configurable: true })
  }
  expect(await text({ temperature: 1.5 })).not.toBe(greedy)
})

test("the penalty for repetition is the model's own unless the request has one", async () => {
  const body = { prompt: 'Ann has 12 apples', max_tokens: 40, ignore_eos: true }
  const text = async (more: object) => (await complete({ ...body, ...more })).choices[0]!.text
  const [neutral, penalised] = [await text({}), await text({ repetition_penalty: 1.8 })]
  expect(penalised).not.toBe(neutral)
  const { model } = engine.draft!
  const { generation } = model
  Object.defineProperty(model, 'generation', { value: { ...generation, repetitionPenalty: 1.8 }, configurable: true })
  try {
    expect([await text({}), await text({ repetition_penalty: 1 })]).toEqual([penalised, neutral])
  } finally {
    Object.defineProperty(model, 'generation', { value: generation, configurable: true })
  }
})

test('a prompt that was read before is counted as cached', async () => {
  const prompt = ['One', 'Two'].map((name) => `${name}: a prompt that nobody sent before, and long enough to be kept`)
  const ask = async () => (await complete({ prompt, n: 2 })).usage
  const first = await ask()
  // All but each prompt's last token, which is run for its logits.
  const cached_tokens = first.prompt_tokens - 2
  expect(first.prompt_tokens_details.cached_tokens).toBeLessThan(cached_tokens)
  expect((await ask()).prompt_tokens_details).toEqual({ cached_tokens })
})

test('the texts of one prompt read it once', async () => {
  const before = engine.draft!.stats.newTokens
  const { usage } = await complete({ prompt: 'The same again. '.repeat(30), n: 8, max_tokens: 1 })
  expect(engine.draft!.stats.newTokens - before).toBe(usage.prompt_tokens + 7)
})

test('echo puts the prompt first, also before token ids', async () => {
  const { tokenizer } = engine.target.model
  const prompt = '<|im_start|>user\nAnn'
  const [plain] = (await complete({ prompt })).choices
  const echoed = await complete({ prompt: [tokenizer.encode(prompt), tokenizer.encode('A')], echo: true })
  expect(echoed.choices[0]!.text).toBe(prompt + plain!.text)
})

interface Logprobs {
  tokens: string[]
  token_logprobs: (number | null)[]
  top_logprobs: (Record<string, number> | null)[]
  text_offset: number[]
}

test('echo with logprobs measures the prompt, whole or in a stream, for all its texts; no token need be written', async () => {
  type Measured = { choices: { index: number; text: string; logprobs: Logprobs }[] }
  const prompt = 'Step 1: Ann has 12 apples. '.repeat(12)
  const body = { model: 'draft', temperature: 0, prompt: ['Two', prompt], echo: true, logprobs: 2, n: 2 }
  const read = await answer<Measured>('/v1/completions', { ...body, max_tokens: 0 })
  expect(read.choices.map(({ text }) => text)).toEqual(['Two', 'Two', prompt, prompt])
  const { tokens, token_logprobs, top_logprobs, text_offset } = read.choices[2]!.logprobs
  expect(read.choices[3]!.logprobs).toEqual(read.choices[2]!.logprobs)
  expect(tokens.join('')).toBe(prompt)
  expect(tokens).toEqual(text_offset.map((at, i) => prompt.slice(at, text_offset[i + 1])))
  expect([token_logprobs[0], top_logprobs[0]]).toEqual([null, null])
  for (const [i, logprob] of token_logprobs.entries()) if (i > 0) expect(top_logprobs[i]![tokens[i]!]).toBe(logprob)

  const written = await answer<Measured>('/v1/completions', { ...body, max_tokens: 5 })
  for (const [i, { logprobs }] of written.choices.entries()) {
    const { length } = read.choices[i]!.logprobs.tokens
    expect(logprobs.tokens.slice(0, length)).toEqual(read.choices[i]!.logprobs.tokens)
    expect(logprobs.token_logprobs.length).toBe(length + 5)
    expect(logprobs.text_offset.at(-1)).toBeLessThan(written.choices[i]!.text.length)
  }
  const response = await post('/v1/completions', { ...body, max_tokens: 5, stream: true })
  const streamed = written.choices.map(() => ({ text: '', tokens: [] as string[], offsets: [] as number[] }))
  for await (const { data } of readEvents(response.body!))
    if (data !== '[DONE]')
      for (const { index, text, logprobs } of (JSON.parse(data) as Measured).choices) {
        streamed[index]!.text += text
        streamed[index]!.tokens.push(...logprobs.tokens)
        streamed[index]!.offsets.push(...logprobs.text_offset)
      }
  expect(streamed).toEqual(
    written.choices.map(({ text, logprobs }) => ({ text, tokens: logprobs.tokens, offsets: logprobs.text_offset })),
  )
})

test('a character that the prompt begins is ended by the output', async () => {
  const [x, ...emoji] = engine.target.model.tokenizer.encode('x😀')
  const last = emoji.pop()!
  const body = { prompt: [x, ...emoji], max_tokens: 1, logit_bias: { [last]: 100 }, logprobs: 0 }
  interface Written {
    choices: { text: string; logprobs: Logprobs }[]
  }
  expect((await answer<Written>('/v1/completions', { ...body, echo: true })).choices[0]!.text).toBe('x😀')
  expect((await answer<Written>('/v1/completions', body)).choices[0]).toMatchObject({ text: '😀' })
  const cut = await answer<Written>('/v1/completions', { ...body, max_tokens: 0, echo: true })
  expect(cut.choices[0]!.text).toBe('x\ufffd')
})

test('text offsets count code points of the text, and tokens that are no whole characters have names of their own', async () => {
  const body = { prompt: '😀é x', max_tokens: 2, echo: true, logprobs: 0, ignore_eos: true, logit_bias: { 1253: 100 } }
  const { choices } = await answer<{ choices: { text: string; logprobs: Logprobs }[] }>('/v1/completions', body)
  const { tokens: names, text_offset } = choices[0]!.logprobs
  expect(choices[0]!.text).toBe('😀é x')
  expect([text_offset[0], text_offset.at(-4), text_offset.at(-3), text_offset.at(-2)]).toEqual([0, 2, 3, 4])
  expect(text_offset.at(-1)).toBe(4)
  expect(new Set(names.slice(0, 4)).size).toBe(4)
  expect(names[0]).toMatch(/^bytes:\\xf0/)
})

test('what is certainly too long is refused before it is tokenized', async () => {
  const { tokenizer } = engine.target.model
  const reading = (['encode', 'encodeAsync', 'renderChat'] as const).map((name) => vi.spyOn(tokenizer, name))
  const long = '\n'.repeat(1_000_000)
  const many = Array.from({ length: 200_000 }, () => 'a')
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

test("prompt_logprobs are vLLM's, of completions and of chats", async () => {
  type Entry = Record<string, { logprob: number; rank: number; decoded_token: string }> | null
  const prompt = engine.target.model.tokenizer.encode('Ann has 12 apples')
  const body = { prompt, prompt_logprobs: 1, max_tokens: 1 }
  const { choices } = await answer<{ choices: { prompt_logprobs: Entry[] }[] }>('/v1/completions', body)
  const [first, ...entries] = choices[0]!.prompt_logprobs
  expect([first, entries.length]).toEqual([null, prompt.length - 1])
  for (const [i, entry] of entries.entries()) {
    const own = entry![prompt[i + 1]!]!
    expect(Object.values(entry!).map(({ rank }) => rank)).toContain(1)
    expect(Object.keys(entry!).length).toBe(own.rank === 1 ? 1 : 2)
    expect(own.decoded_token).toBe(engine.target.model.tokenizer.decode([prompt[i + 1]!]))
  }
  const chat = { messages, prompt_logprobs: 0, max_tokens: 1 }
  const answered = await answer<{ prompt_logprobs: Entry[] }>('/v1/chat/completions', chat)
  const { count } = await answer<{ count: number }>('/tokenize', { messages })
  expect(answered.prompt_logprobs.length).toBe(count)
})

test("a prompt's log probabilities are worded once, however many texts show them", async () => {
  const words = vi.spyOn(engine.draft!.model.tokenizer, 'decodeToken')
  const count = async (n: number) => {
    words.mockClear()
    await complete({ prompt: someTokens(200), n, prompt_logprobs: 20, max_tokens: 0 })
    return words.mock.calls.length
  }
  expect(await count(8)).toBeLessThan(2 * (await count(1)))
  words.mockRestore()
})

test('streams end with the usage if asked for, then [DONE]; joined they are the whole text', async () => {
  const body = { prompt: ['Step one', 'Two'], max_tokens: 40, temperature: 0, model: 'draft' }
  const whole = await complete(body)
  const response = await post('/v1/completions', { ...body, stream: true, stream_options: { include_usage: true } })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const data: string[] = []
  for await (const event of readEvents(response.body!)) data.push(event.data)
  expect(data.pop()).toBe('[DONE]')
  const chunks = data.map((line) => JSON.parse(line) as Completion)
  const { prompt_tokens, completion_tokens } = whole.usage
  expect(chunks.pop()).toMatchObject({ choices: [], usage: { prompt_tokens, completion_tokens } })
  const texts = ['', '']
  for (const { choices, usage } of chunks) {
    expect(usage).toBeNull()
    for (const { index, text } of choices) texts[index] += text
  }
  expect(texts).toEqual(whole.choices.map(({ text }) => text))
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

test('tokenize and detokenize undo each other; messages are rendered', async () => {
  interface Tokens {
    count: number
    max_model_len: number
    tokens: number[]
  }
  const { tokens, ...rest } = await answer<Tokens>('/tokenize', { messages })
  expect(rest).toEqual({ count: tokens.length, max_model_len: 2048 })
  const { prompt } = await answer<{ prompt: string }>('/detokenize', { tokens })
  expect(prompt).toBe(engine.target.model.tokenizer.renderChat(messages, { addGenerationPrompt: true }))
  expect((await answer<Tokens>('/tokenize', { prompt })).tokens).toEqual(tokens)
  const open = await answer<Tokens>('/tokenize', { messages, add_generation_prompt: false })
  expect(open.count).toBeLessThan(tokens.length)
})

test('with a token set, all of it asks for the token', async () => {
  const guarded = createApp({ engine: () => engine, draining: () => false, token: 'secret' })
  for (const url of ['/v1/completions', '/v1/chat/completions', '/tokenize', '/detokenize'])
    expect((await post(url, {}, guarded)).status).toBe(401)
  expect((await guarded.request('/metrics')).status).toBe(401)
})

test('what was not sent is not there for the template, on every endpoint', async () => {
  const asks = `{%- for message in messages %}{%- if 'reasoning_content' in message %}
    {{- raise_exception('thought: ' ~ message.reasoning_content) }}{%- endif %}{%- endfor %}`
  const named = '{%- if constructor is defined %}{{- raise_exception(constructor ~ __proto__) }}{%- endif %}'
  const stored = await readFile(path.join(models, 'draft/tokenizer_config.json'), 'utf8')
  const template = asks + named + (JSON.parse(stored) as { chat_template: string }).chat_template
  await using folder = await withTemplate(template)
  const asking = await Engine.load({ models: folder.path, slots: 1024 })
  try {
    const on = createApp({ engine: () => asking, draining: () => false })
    const context = { id: 'a', messages }
    const chats = ['/v1/chat/completions', '/tokenize']
    for (const url of chats)
      for (const said of [{}, { reasoning_content: null }, { reasoning: null }]) {
        const more = { messages: messages.map((message) => ({ ...message, ...said })), max_tokens: 1 }
        expect((await post(url, more, on)).status).toBe(200)
      }
    expect((await post('/v1/verify', { context, max_tokens: 1 }, on)).status).toBe(200)
    expect((await post('/v1/draft', { context, depth: 1 }, on)).status).toBe(200)
    for (const url of chats)
      for (const said of [{ reasoning_content: 'hm' }, { reasoning: 'hm' }]) {
        const response = await post(url, { messages: [{ ...messages[0], ...said }], max_tokens: 1 }, on)
        expect(response.status).toBe(400)
        expect(await response.json()).toMatchObject({ error: { message: 'messages: thought: hm', param: 'messages' } })
      }
    const kwargs = '{ "constructor": 1, "__proto__": 2, "prototype": 3 }'
    const body = `{ "messages": ${JSON.stringify(messages)}, "chat_template_kwargs": ${kwargs} }`
    const response = await on.request('/v1/chat/completions', { method: 'POST', body })
    expect(await response.json()).toMatchObject({ error: { message: 'messages: 12' } })
  } finally {
    asking.close()
  }
})

/** A folder whose models are both the shipped draft, the target with another template. */
async function withTemplate(template: string) {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await cp(path.join(models, 'draft'), path.join(folder, 'target'), { recursive: true })
  await cp(path.join(models, 'draft'), path.join(folder, 'draft'), { recursive: true })
  await writeFile(path.join(folder, 'target/chat_template.jinja'), template)
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

test('the template decides about thinking; the kwargs reach it, and its refusal is a 400', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await cp(path.join(models, 'draft'), path.join(folder, 'target'), { recursive: true })
  const config = path.join(folder, 'target/tokenizer_config.json')
  const stored = JSON.parse(await readFile(config, 'utf8')) as { chat_template: string }
  // As Qwen3's: thinking is on unless it is turned off, and then it is opened and closed at once.
  const thought = "{%- if enable_thinking is defined and not enable_thinking %}{{- '</think>\\n\\n' }}{%- endif %}"
  const refusal = "{%- if messages[0].role == 'system' %}{{- raise_exception('no system messages') }}{%- endif %}"
  const named = '{%- if prototype is defined %}{{- prototype }}{%- endif %}'
  await writeFile(
    config,
    JSON.stringify({ ...stored, chat_template: refusal + stored.chat_template + thought + named }),
  )
  const thinker = await Engine.load({ models: folder, slots: 1024 })
  try {
    const on = createApp({ engine: () => thinker, draining: () => false })
    interface Chat {
      choices: { message: { content: string; reasoning: string | null } }[]
    }
    const ask = async (more: object) => {
      const body = { messages, max_tokens: 12, temperature: 0, ...more }
      return (await answer<Chat>('/v1/chat/completions', body, on)).choices[0]!.message
    }
    expect(await ask({})).toMatchObject({ content: '', reasoning: expect.stringMatching(/./) })
    const direct = await ask({ chat_template_kwargs: { enable_thinking: false } })
    expect(direct).toMatchObject({ content: expect.stringMatching(/./), reasoning: null })
    expect(await ask({ enable_thinking: false })).toEqual(direct)
    const both = { enable_thinking: true, chat_template_kwargs: { enable_thinking: false } }
    expect(await ask(both)).toEqual(direct)

    const { tokens } = await answer<{ tokens: number[] }>(
      '/tokenize',
      { messages, chat_template_kwargs: { prototype: 'first of its kind' } },
      on,
    )
    expect(thinker.target.model.tokenizer.decode(tokens)).toMatch(/first of its kind$/)

    const system = [{ role: 'system', content: 'x' }]
    const refused = [
      await post('/v1/chat/completions', { messages: system }, on),
      await post('/v1/verify', { context: { id: 'a', messages: system }, max_tokens: 1 }, on),
    ]
    for (const response of refused) {
      expect(response.status).toBe(400)
      expect(await response.text()).toContain('no system messages')
    }
    expect((await post('/v1/completions', { prompt: 'x', model: 'draft' }, on)).status).toBe(404)
  } finally {
    thinker.close()
    await rm(folder, { recursive: true })
  }
})
