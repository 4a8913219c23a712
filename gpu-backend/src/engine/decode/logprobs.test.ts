/** What log probabilities are told of, where models say how likely each token is. */
import { expect, test } from 'vitest'
import { neutralRules } from '../sampling/logits.ts'
import type { TokenLogprob } from '../sampling/logits.ts'
import { stageEngine } from '../../../test/stage-engine.ts'
import { generate } from './generate.ts'
import type { Ending, GenerateRequest } from './generate.ts'

const staged = stageEngine()
const prompt = 'How many apples has Ann in the end, if she eats some?\n'.repeat(4)
const text = 'We have 3 apples, and eat 2 apples, and buy 4 apples.'

async function write(options: Partial<GenerateRequest>) {
  const told: TokenLogprob[] = []
  let read: readonly TokenLogprob[] = []
  let ending: Ending | undefined
  const request: GenerateRequest = {
    runner: staged.engine.target,
    prompt: staged.tokenizer.encode(prompt),
    maxTokens: 100,
    sampling: { temperature: 0, seed: 1 },
    stop: [],
    stopTokens: new Set<number>(),
    ignoreEndOfText: false,
    includeStop: false,
    skipSpecial: true,
    rules: neutralRules,
    logprobs: undefined,
    ngram: 0,
    draft: 0,
    ...options,
  }
  for await (const piece of generate(staged.engine, request, new AbortController().signal)) {
    told.push(...piece.logprobs)
    read = piece.promptLogprobs ?? read
    ending = piece.ending
  }
  return { told, read, ending: ending! }
}

/** The target is the surer of its words the longer the text is: its next token has so many times the weight of another. */
const surety = (length: number): number => 2 + length / 10
const logprob = (length: number): number => Math.log(surety(length) / (surety(length) + 1))

function stage(): { whole: number[]; start: number } {
  const start = staged.tokenizer.encode(prompt).length
  const whole = [...staged.tokenizer.encode(prompt), ...staged.tokenizer.encode(text), staged.end]
  const other = staged.tokenizer.encode('7')[0]!
  staged.says(
    'target',
    (read) =>
      new Map([
        [whole[read.length] ?? staged.end, Math.log(surety(read.length))],
        [other, 0],
      ]),
  )
  staged.says('draft', (read) => whole[read.length] ?? staged.end)
  return { whole, start }
}

test('each token has its own, guessed or not', async () => {
  const { whole, start } = stage()
  for (const draft of [0, 4]) {
    const { told, ending } = await write({ logprobs: 1, draft })
    expect(told.map(({ token }) => token)).toEqual(whole.slice(start))
    for (const [i, { logprob: own }] of told.entries()) expect(own).toBeCloseTo(logprob(start + i))
    expect(ending.speculation.accepted > 0).toBe(draft > 0)
  }
})

test('so has each token of a prompt but the first, which is all run for that, though it was found', async () => {
  const { whole, start } = stage()
  expect((await write({ maxTokens: 1 })).ending.cachedTokens).toBe(0)
  expect((await write({ maxTokens: 1 })).ending.cachedTokens).toBeGreaterThan(0)
  const { read, ending } = await write({ maxTokens: 1, promptLogprobs: 0 })
  expect(read.map(({ token }) => token)).toEqual(whole.slice(1, start))
  for (const [i, { logprob: own, token }] of read.entries())
    if (token === whole[i + 1]) expect(own).toBeCloseTo(logprob(i + 1))
  expect(ending.cachedTokens).toBe(0)
})
