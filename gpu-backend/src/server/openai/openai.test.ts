import { readEvents } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { answer, complete, engine, messages, post } from '../../../test/served.ts'
import type { Completion } from '../../../test/served.ts'

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

test('tokenize and detokenize undo each other; messages are rendered', async () => {
  interface Tokens {
    count: number
    max_model_len: number
    tokens: number[]
  }
  const { tokens, ...rest } = await answer<Tokens>('/tokenize', { messages })
  expect(rest).toEqual({ count: tokens.length, max_model_len: 4096 })
  const { prompt } = await answer<{ prompt: string }>('/detokenize', { tokens })
  expect(prompt).toBe(engine.target.model.tokenizer.renderChat(messages, { addGenerationPrompt: true }))
  expect((await answer<Tokens>('/tokenize', { prompt })).tokens).toEqual(tokens)
  const open = await answer<Tokens>('/tokenize', { messages, add_generation_prompt: false })
  expect(open.count).toBeLessThan(tokens.length)
})

describe('a seed of -1 is none: each answer is drawn anew', () => {
  const request = { temperature: 1, max_tokens: 60 }
  test.each([
    ['/v1/completions', { prompt: 'Ann', ignore_eos: true }],
    ['/v1/chat/completions', { messages, ignore_eos: true }],
  ])('%s', async (url, asked) => {
    const write = async (seed: number): Promise<string> => {
      const { choices } = await answer<{ choices: object[] }>(url, {
        ...request,
        ...asked,
        seed,
        return_token_ids: true,
      })
      return JSON.stringify((choices[0] as { token_ids: number[] }).token_ids)
    }
    expect(await write(7)).toBe(await write(7))
    expect(await write(-1)).not.toBe(await write(-1))
  })
})
