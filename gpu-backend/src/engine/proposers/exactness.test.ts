/** The draft model's guesses leave every text the target's own: through `generate`, with the shipped models. */
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { wholeLogits } from '../../model/index.ts'
import { distribution } from '../distribution.ts'
import { Engine } from '../engine.ts'
import { generate } from '../generate.ts'
import type { GenerateRequest } from '../generate.ts'
import { LogitsProcessor } from '../logits.ts'
import { Tree } from '../tree.ts'

const models = path.join(import.meta.dirname, '../../../models')
const signal = new AbortController().signal
const SEEDS = 400
/** Pairs expected less often than this are counted as one. */
const RARE = 5

let engine: Engine
let prompt: number[]
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 2048 })
  const { tokenizer } = engine.target.model
  const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]
  prompt = tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: true }))
})
afterAll(() => engine.close())

const neutral = { presencePenalty: 0, frequencyPenalty: 0, repetitionPenalty: 1, bias: new Map(), minTokens: 0 }

const settings: [string, GenerateRequest['sampling'], Partial<GenerateRequest['rules']>][] = [
  ['temperature and top-k', { temperature: 3, top_k: 8, top_p: 1 }, {}],
  ['temperature, top-p and min-p', { temperature: 3, top_k: 0, top_p: 0.9, min_p: 0.02 }, {}],
  [
    'penalties and bias',
    { temperature: 3, top_k: 8, top_p: 1 },
    { frequencyPenalty: 1.5, presencePenalty: 1, repetitionPenalty: 1.5, bias: new Map([[60, 2]]) },
  ],
]

test.each(settings)('%s: pairs of tokens come as often as the target makes them', async (_name, sampling, some) => {
  const rules = { ...neutral, ...some }
  const expected = await pairs(sampling, rules)
  const observed = new Map<string, number>()
  const speculation = { proposed: 0, accepted: 0 }
  for (let seed = 0; seed < SEEDS; seed++) {
    const tokens: number[] = []
    const request = { ...base(), maxTokens: 3, sampling: { ...sampling, seed }, rules, ngram: 0, draft: 4 }
    for await (const piece of generate(engine, request, signal)) {
      tokens.push(...piece.tokens)
      speculation.proposed += piece.ending?.speculation.proposed ?? 0
      speculation.accepted += piece.ending?.speculation.accepted ?? 0
    }
    const key = tokens.slice(0, 2).join()
    expect(expected.has(key), `the target would never write ${key}`).toBe(true)
    observed.set(key, (observed.get(key) ?? 0) + 1)
  }
  const bins = binned(expected, observed)
  const chiSquare = bins.reduce((sum, bin) => sum + (bin.observed - bin.expected) ** 2 / bin.expected, 0)
  // The 99.99 % point, by Wilson and Hilferty: with fixed seeds this never fails by chance.
  const degrees = bins.length - 1
  expect(degrees).toBeGreaterThan(3)
  expect(chiSquare).toBeLessThan(degrees * (1 - 2 / (9 * degrees) + 3.72 * Math.sqrt(2 / (9 * degrees))) ** 3)
  // Only where some guesses are kept and some are not, anything is tested.
  const rate = speculation.accepted / speculation.proposed
  expect(rate).toBeGreaterThan(0.2)
  expect(rate).toBeLessThan(0.9)
})

function base(): Omit<GenerateRequest, 'sampling' | 'rules' | 'maxTokens'> {
  return {
    decoder: engine.target,
    prompt,
    stop: [],
    stopTokens: [],
    ignoreEndOfText: true,
    includeStop: false,
    skipSpecial: true,
    logprobs: undefined,
  }
}

/** How often the target writes each pair of tokens after the prompt, in `SEEDS` texts. */
async function pairs(sampling: GenerateRequest['sampling'], rules: GenerateRequest['rules']) {
  const parameters = engine.sampling(sampling, { seed: 0 })
  const processor = new LogitsProcessor({ ...rules, endTokens: new Set() }, prompt)
  const next = async (output: readonly number[]) => {
    const tree = new Tree(engine.target)
    const [scores] = await tree.prefill([...prompt, ...output], [], [0])
    tree.release()
    return distribution(processor.apply(wholeLogits(scores), output), parameters)
  }
  const expected = new Map<string, number>()
  const first = await next([])
  for (const [i, token] of first.tokens.entries()) {
    const second = await next([token])
    for (const [j, after] of second.tokens.entries())
      expected.set(`${token},${after}`, SEEDS * first.probabilities[i]! * second.probabilities[j]!)
  }
  return expected
}

function binned(expected: ReadonlyMap<string, number>, observed: ReadonlyMap<string, number>) {
  const bins: { expected: number; observed: number }[] = []
  const rare = { expected: 0, observed: 0 }
  for (const [key, value] of expected) {
    const bin = { expected: value, observed: observed.get(key) ?? 0 }
    if (value >= RARE) bins.push(bin)
    else {
      rare.expected += bin.expected
      rare.observed += bin.observed
    }
  }
  return rare.expected > 0 ? [...bins, rare] : bins
}
