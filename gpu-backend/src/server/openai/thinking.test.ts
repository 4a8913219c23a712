import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readEvents } from '@lookahead/sdk/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Engine } from '../../engine/engine.ts'
import { createApp } from '../app.ts'

const models = path.join(import.meta.dirname, '../../../models')
const question = 'Ann has 12 apples and eats 3. How many are left?'

let folder: string
let engine: Engine
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  await cp(path.join(models, 'draft'), path.join(folder, 'target'), { recursive: true })
  const config = path.join(folder, 'target/tokenizer_config.json')
  const stored = JSON.parse(await readFile(config, 'utf8')) as { chat_template: string }
  // What the answer begins with is for each test to say.
  const own = "'<|im_start|>assistant\\n<think>\\n' }}{%- endif %}"
  const asked = "(mark | default('<|im_start|>assistant\\n')) + opening }}{%- else %}{{- '<end>' }}{%- endif %}"
  const chat_template = stored.chat_template.replace(own, asked)
  expect(chat_template).toContain('opening')
  await writeFile(config, JSON.stringify({ ...stored, chat_template }))
  engine = await Engine.load({ models: folder, slots: 2048 })
})
afterAll(async () => {
  engine.close()
  await rm(folder, { recursive: true })
})

const app = createApp({ engine: () => engine, draining: () => false })

interface Choice {
  text: string
  message: { content: string; reasoning: string | null }
  delta: { content?: string; reasoning?: string }
  finish_reason: string | null
  stop_reason: string | null
}

async function post(url: string, body: object): Promise<Response> {
  const response = await app.request(url, { method: 'POST', body: JSON.stringify({ temperature: 0, ...body }) })
  expect(response.status).toBe(200)
  return response
}
const choiceOf = async (response: Response): Promise<Choice> =>
  ((await response.json()) as { choices: [Choice] }).choices[0]

const conversation = (opening: string, content = question) => ({
  messages: [{ role: 'user', content }],
  chat_template_kwargs: { opening },
})

/** An answer, which in a stream is the same. */
async function chat(opening: string, more: object = {}, content?: string) {
  const body = { ...conversation(opening, content), max_tokens: 400, ...more }
  const { message, finish_reason, stop_reason } = await choiceOf(await post('/v1/chat/completions', body))
  const streamed = { content: '', reasoning: '' }
  const response = await post('/v1/chat/completions', { ...body, stream: true })
  for await (const { data } of readEvents(response.body!)) {
    if (data === '[DONE]') break
    const [{ delta }] = (JSON.parse(data) as { choices: [Choice] }).choices
    for (const channel of ['content', 'reasoning'] as const) streamed[channel] += delta[channel] ?? ''
  }
  expect(streamed).toEqual({ content: message.content, reasoning: message.reasoning ?? '' })
  return { content: message.content, reasoning: message.reasoning, finish_reason, stop_reason }
}

/** The same as one text, tags and all. */
async function raw(opening: string, more: object = {}): Promise<string> {
  const prompt = `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n${opening}`
  return (await choiceOf(await post('/v1/completions', { prompt, max_tokens: 400, ...more }))).text
}

const bias = (tokens: Record<string, number>) => ({
  logit_bias: Object.fromEntries(
    Object.entries(tokens).map(([token, value]) => [engine.target.model.tokenizer.tokenId(token)!, value]),
  ),
})
const noTags = () => bias({ '<think>': -100, '</think>': -100 })

test('a template that opens a block and begins to think leaves the model inside it', async () => {
  for (const opening of ['<think>\n', '<think>\nWe', 'So: <think>Well</think>\n<think>\nWe']) {
    const [reasoning, content] = (await raw(opening)).split('</think>') as [string, string]
    const expected = opening.endsWith('\n') ? reasoning.trim() : reasoning.trimEnd()
    expect(await chat(opening)).toMatchObject({ reasoning: expected, content: content.trim(), finish_reason: 'stop' })
  }
})

test('a template that closes the block leaves the model outside; so does a user who writes about it', async () => {
  const less = { ...noTags(), max_tokens: 20 }
  const outside = { reasoning: null, content: expect.stringMatching(/^\S/) }
  expect(await chat('<think>\n\n</think>\n\n', less)).toMatchObject(outside)
  for (const content of ['What is <think>?', 'What does it end with? <think>\n'])
    expect(await chat('So ', less, content)).toMatchObject({ reasoning: null, content: expect.stringMatching(/./) })
  expect(await chat('<think>', less, 'What is </think>?')).toMatchObject({ content: '' })
})

test('a template may have another mark in the place of its generation prompt', async () => {
  const chat_template_kwargs = { mark: '', opening: '<think>' }
  const inside = await chat('', { ...noTags(), max_tokens: 5, chat_template_kwargs })
  expect(inside).toMatchObject({ reasoning: expect.stringMatching(/./), content: '' })
})

test('without a generation prompt no block is open', async () => {
  const body = { ...noTags(), add_generation_prompt: false, max_tokens: 20 }
  const { reasoning, content } = await chat('<think>\n', body, 'What is <think>?')
  expect([reasoning, content]).toEqual([null, expect.stringMatching(/./)])
})

test.each([
  ['<think>\n', true],
  ['<think>\nFirst, I', true],
  ['<think>a</think>b<think>c', true],
  ['<think>a</think>\n\nSo', false],
  ['no block', false],
])('the prompt of a run, %j, leaves the model where its tags do: %s', async (prompt, thinking) => {
  const body = JSON.stringify({ context: { id: prompt, prompt }, max_tokens: 1, verifier: 'exact' })
  const said = await (await app.request('/v1/verify', { method: 'POST', body })).text()
  const [context] = said.match(/\{"type":"context".*\}/)!
  expect(JSON.parse(context)).toMatchObject({ thinking })
})

test('tags that the model writes again belong to nothing', async () => {
  for (const [opening, tag] of [
    ['<think>\n', '<think>'],
    ['<think>\n', '</think>'],
    ['', '<think>'],
  ] as const) {
    expect(await raw(opening, { ...bias({ [tag]: 100 }), max_tokens: 3 })).toBe(tag.repeat(3))
    const written = await chat(opening, { ...bias({ [tag]: 100 }), max_tokens: 3 })
    expect(written).toMatchObject({ reasoning: null, content: '', finish_reason: 'length' })
  }
})

test('stop strings end the answer, and the thinking only if they are to', async () => {
  const whole = await chat('<think>\n')
  const reasoning = whole.reasoning!
  expect(reasoning).toContain('\n\n')
  expect(await chat('<think>\n', { stop: ['\n\n', '</think>'] })).toEqual(whole)

  const stop = whole.content.slice(4, 8)
  const content = whole.content.slice(0, whole.content.indexOf(stop))
  const ended = { finish_reason: 'stop', stop_reason: stop }
  expect(await chat('<think>\n', { stop })).toEqual({ reasoning, content, ...ended })
  const shown = await chat('<think>\n', { stop, include_stop_str_in_output: true })
  expect(shown).toEqual({ reasoning, content: content + stop, ...ended })

  const everywhere = { stop_in_reasoning: true }
  const first = reasoning.slice(0, reasoning.indexOf('\n\n'))
  const cut = { reasoning: first, content: '', finish_reason: 'stop', stop_reason: '\n\n' }
  expect(await chat('<think>\n', { ...everywhere, stop: '\n\n' })).toEqual(cut)
  const unanswered = { ...cut, reasoning: `${reasoning}\n\n`, stop_reason: '</think>' }
  expect(await chat('<think>\n', { ...everywhere, stop: '</think>' })).toEqual(unanswered)
  expect(await raw('<think>\n', { stop: '\n\n' })).toBe(first)
})

test('a stop string may begin within min_tokens, and not end there', async () => {
  const tokens = 6
  const start = await raw('<think>\n', { max_tokens: tokens })
  const longer = await raw('<think>\n', { max_tokens: tokens + 2 })
  const stop = longer.slice(start.length - 2)
  expect(await raw('<think>\n', { stop, min_tokens: tokens })).toBe(longer.slice(0, longer.indexOf(stop)))
  expect(await raw('<think>\n', { stop, min_tokens: tokens + 2, max_tokens: tokens + 2 })).toBe(longer)
})
