import path from 'node:path'
import { channelsAfter } from '@lookahead/sdk/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { testProblems } from '../../../dataset/index.ts'
import { forget, generateRequest, parseVerify } from '../../../test/calls.ts'
import type { GenerateOptions } from '../../../test/calls.ts'
import { Engine } from '../engine.ts'
import { generate } from './generate.ts'
import type { Ending, GenerateRequest } from './generate.ts'
import type { TokenLogprob } from '../sampling/logits.ts'
import { nominal } from '../speculation/costs.ts'
import { verifySteps } from './verify.ts'

const models = path.join(import.meta.dirname, '../../../models')
const signal = new AbortController().signal
const [question] = testProblems(1).map((problem) => problem.question)

let engine: Engine
let prompt: number[]
let end: number
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 4096 })
  const { tokenizer, generation } = engine.target.model
  const messages = [{ role: 'user', content: question! }]
  prompt = tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: true }))
  end = generation.eosTokenIds[0]!
})
// No clock has a say in what is guessed.
beforeEach(() => void vi.spyOn(engine, 'costsOf').mockReturnValue(nominal))
afterAll(() => engine.close())
afterEach(() => {
  vi.restoreAllMocks()
  forget(engine)
})

const request = (options?: GenerateOptions): GenerateRequest =>
  generateRequest(engine, prompt, { runner: engine.draft!, maxTokens: 600, ...options })

async function write(options?: GenerateOptions) {
  let text = ''
  const tokens: number[] = []
  const logprobs: TokenLogprob[] = []
  let promptLogprobs: readonly TokenLogprob[] | undefined
  let ending: Ending | undefined
  for await (const piece of generate(engine, request(options), signal)) {
    expect(ending).toBeUndefined()
    text += piece.text
    tokens.push(...piece.tokens)
    logprobs.push(...piece.logprobs)
    promptLogprobs ??= piece.promptLogprobs
    ending = piece.ending
  }
  return { text, tokens, logprobs, promptLogprobs, ...ending! }
}

test('at temperature 0 it writes what the target writes by plain decoding, with guesses and without', async () => {
  const verify = parseVerify({
    context: { id: 'plain', messages: [{ role: 'user', content: question }] },
    decode: 'end',
    max_tokens: 600,
    speculation: { drafted: false, ngram: 0, draft: 0 },
    sampling: { temperature: 0 },
  })
  const plain = { text: '', tokens: [] as number[] }
  for await (const event of verifySteps(engine, await engine.context(verify.context), verify, signal))
    if (event.type === 'commit') Object.assign(plain, { text: event.text, tokens: event.tokens })
  const runner = engine.target
  expect(await write({ runner, ngram: 0, draft: 0 })).toMatchObject({ ...plain, reason: 'stop', stop: null })
  for (const proposers of [{}, { ngram: 0 }, { draft: 0 }, { ngram: 0, draft: 1 }]) {
    const guessed = await write({ runner, ...proposers })
    expect(guessed).toMatchObject(plain)
    expect(guessed.speculation.accepted).toBeGreaterThan(0)
  }
})

test('a penalty counts the guesses before each guess', async () => {
  const { tokenizer } = engine.target.model
  const word = tokenizer.encode(' bad')[0]!
  // The prompt makes the guesses say the word again and again, the bias makes the model say it until the penalty wins.
  const once = tokenizer.encode('one two three four')
  const repetitive = [...once, ...Array.from({ length: 9 }, () => word), ...once]
  const rules = { bias: new Map([[word, 30]]), frequencyPenalty: 7 }
  const plain = await write({ prompt: repetitive, rules, maxTokens: 12, ngram: 0 })
  const guessed = await write({ prompt: repetitive, rules, maxTokens: 12 })
  expect(plain.tokens.slice(0, 3)).toEqual([word, word, word])
  expect(plain.tokens.slice(0, 8)).not.toEqual(Array.from({ length: 8 }, () => word))
  expect(guessed.speculation.accepted).toBeGreaterThan(0)
  expect(guessed.tokens).toEqual(plain.tokens)
})

test('the same seed writes the same text, another seed another', async () => {
  const seeded = async (seed: number) => (await write({ sampling: { temperature: 1, seed } })).tokens
  expect(await seeded(5)).toEqual(await seeded(5))
  expect(await seeded(5)).not.toEqual(await seeded(6))
})

test('with a seed, neither other requests nor guesses change the text', async () => {
  const seeded = (seed: number) =>
    write({ runner: engine.target, draft: 4, maxTokens: 60, sampling: { temperature: 1, seed } })
  const alone = await seeded(5)
  const [together] = await Promise.all([5, 6, 7, 8, 9, 10].map(seeded))
  expect(together!.tokens).toEqual(alone.tokens)
  expect(alone.speculation.accepted).toBeGreaterThan(0)
  const plain = await write({
    runner: engine.target,
    draft: 0,
    ngram: 0,
    maxTokens: 60,
    sampling: { temperature: 1, seed: 5 },
  })
  expect(plain.tokens).toEqual(alone.tokens)
})

test('ends: stop strings, stop tokens, a least and a greatest length', async () => {
  const whole = await write()
  const stop = whole.text.slice(20, 26)
  const cut = whole.text.slice(0, whole.text.indexOf(stop))
  expect(await write({ stop: ['nowhere', stop] })).toMatchObject({ text: cut, reason: 'stop', stop })
  expect(await write({ stop: [stop], includeStop: true })).toMatchObject({ text: cut + stop })

  const token = whole.tokens[12]!
  const before = whole.tokens.slice(0, whole.tokens.indexOf(token) + 1)
  const stopped = await write({ stopTokens: new Set([token]) })
  expect(stopped).toMatchObject({ tokens: before, reason: 'stop', stop: token })
  expect(stopped.text).toBe(engine.target.model.tokenizer.decode(before.slice(0, -1)))

  expect(whole.tokens.at(-1)).toBe(end)
  expect(await write({ maxTokens: 7 })).toMatchObject({ tokens: whole.tokens.slice(0, 7), reason: 'length' })
  const least = whole.tokens.length + 5
  const longer = await write({ rules: { minTokens: least }, maxTokens: least + 1 })
  expect(longer.tokens.length).toBeGreaterThanOrEqual(least)
  expect(longer.tokens.slice(0, least - 1)).not.toContain(end)
  const past = await write({ ignoreEndOfText: true, maxTokens: least })
  expect(past).toMatchObject({ tokens: expect.arrayContaining([end]), reason: 'length' })
})

test('guesses after the end of the text do not count as kept', async () => {
  const greedy = { runner: engine.target, ngram: 0, sampling: { temperature: 0, seed: 1 } }
  const { tokens } = await write(greedy)
  const distinct = new Set(tokens.slice(0, 12))
  for (const token of distinct) {
    const { speculation, ...stopped } = await write({ ...greedy, stopTokens: new Set([token]) })
    expect(stopped).toMatchObject({ tokens: tokens.slice(0, tokens.indexOf(token) + 1), stop: token })
    expect(speculation.accepted + speculation.drafts).toBeLessThanOrEqual(stopped.tokens.length)
  }
})

test('a stop string counts only once the text is long enough', async () => {
  const whole = await write()
  const stop = whole.text.slice(0, 6)
  expect(await write({ stop: [stop] })).toMatchObject({ text: '', reason: 'stop' })
  const later = await write({ stop: [stop], rules: { minTokens: 10 } })
  expect(later.text.startsWith(stop)).toBe(true)

  const { tokenizer } = engine.target.model
  const [first, second] = [1, 3].map((tokens) => tokenizer.decode(whole.tokens.slice(0, tokens)).length)
  const across = whole.text.slice(first, second)
  for (const ngram of [0, 8])
    for (const minTokens of [1, 2]) {
      const cut = { text: whole.text.slice(0, first), tokens: whole.tokens.slice(0, 3), reason: 'stop', stop: across }
      expect(await write({ stop: [across], rules: { minTokens }, ngram })).toMatchObject(cut)
    }
})

test('a stop string may come to light at the end', async () => {
  // White space at the start of an answer may yet stand before a tag.
  const [space] = engine.target.model.tokenizer.encode('\n\n')
  const blank = { rules: { bias: new Map([[space!, 100]]) }, maxTokens: 1, answerAfter: channelsAfter('A:') }
  expect(await write({ ...blank, stop: ['\n\n'] })).toMatchObject({ text: '', reason: 'stop', stop: '\n\n' })
  expect(await write({ ...blank, stop: ['\n\n!'] })).toMatchObject({ text: '\n\n', reason: 'length', stop: null })
})

test('special tokens are shown when asked for', async () => {
  const name = '<|im_end|>'
  expect((await write({ includeStop: true })).text).not.toContain(name)
  expect((await write({ includeStop: true, skipSpecial: false })).text.endsWith(name)).toBe(true)
})

test('log probabilities: one a token, greedy takes the likeliest, bias is not part of them', async () => {
  const { tokens, logprobs } = await write({ logprobs: 3, maxTokens: 40 })
  expect(logprobs.map(({ token }) => token)).toEqual(tokens)
  for (const { token, logprob, top } of logprobs) {
    expect(top.length).toBe(3)
    expect(top[0]).toEqual({ token, logprob })
  }
  const second = logprobs[0]!.top[1]!
  const biased = await write({ logprobs: 0, maxTokens: 1, rules: { bias: new Map([[second.token, 100]]) } })
  expect(biased.tokens).toEqual([second.token])
  expect(biased.logprobs[0]!.logprob).toBeCloseTo(second.logprob, 4)
})

test('the tokens of a prompt have the log probabilities that they had when they were written', async () => {
  const { tokens, logprobs } = await write({ logprobs: 3, maxTokens: 100 })
  const whole = [...prompt, ...tokens]
  const read = await write({ prompt: whole, promptLogprobs: 3, maxTokens: 0 })
  expect(read).toMatchObject({ text: '', tokens: [], reason: 'length', cachedTokens: 0 })
  expect(read.promptLogprobs!.map(({ token }) => token)).toEqual(whole.slice(1))
  for (const [i, written] of logprobs.entries()) {
    const { rank, logprob, top } = read.promptLogprobs![prompt.length - 1 + i]!
    expect(rank).toBe(1)
    expect(logprob).toBeCloseTo(written.logprob, 4)
    for (const [place, other] of written.top.entries()) expect(top[place]!.logprob).toBeCloseTo(other.logprob, 4)
  }
  const { rank, logprob, top } = read.promptLogprobs!.find((shown) => shown.rank > 3)!
  expect(top.filter((other) => other.logprob > logprob).length).toBe(3)
  expect(rank).toBeLessThanOrEqual(engine.draft!.model.config.vocabSize)
  // They go on with the text as if nobody had asked.
  const { promptLogprobs, ...plain } = await write()
  expect(promptLogprobs).toBeUndefined()
  expect((await write({ promptLogprobs: 0 })).tokens).toEqual(plain.tokens)
})

test('without tokens to write the prompt is read, and nothing written', async () => {
  expect(await write({ maxTokens: 0 })).toMatchObject({ text: '', tokens: [], reason: 'length', cachedTokens: 0 })
  expect((await write({ maxTokens: 0 })).cachedTokens).toBe(prompt.length - 1)
})

test('whoever leaves, however, frees the slots', async () => {
  for await (const _ of generate(engine, request(), signal)) break

  const abort = new AbortController()
  const pieces = generate(engine, request({ ignoreEndOfText: true, maxTokens: 1500 }), abort.signal)
  await pieces.next()
  abort.abort(new Error('left'))
  await expect(pieces.next()).rejects.toThrow('left')

  const reading = new AbortController()
  const long = request({ prompt: Array.from({ length: 1500 }, (_, i) => i % 1000), promptLogprobs: 0 })
  const first = generate(engine, long, reading.signal).next()
  const forwards = engine.draft!.stats.forwards
  await expect.poll(() => engine.draft!.stats.forwards, { interval: 1 }).toBeGreaterThan(forwards)
  reading.abort(new Error('left'))
  await expect(first).rejects.toThrow('left')
})
