/**
 * Guesses leave every text the target's own: the shipped models, through `generate` and through a verification, where both
 * write almost at random and differ clearly in what. Each of these errors fails a test here: guesses always kept; the token
 * after a rejected one drawn from `p` itself; `q` ignored in one place, or in both (exact, but fewer are kept); the bonus
 * drawn from `q`, or from the `p` before the last guess; one `p` for all places; penalties that do not count the guesses;
 * guesses drawn with the numbers that judge them.
 */
import path from 'node:path'
import { DraftRequest, VerifyRequest, parseRequest } from '@lookahead/sdk/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { wholeLogits } from '../../model/index.ts'
import { distribution, probability, samplingParameters } from '../distribution.ts'
import type { Distribution } from '../distribution.ts'
import type { Decoder } from '../decoder.ts'
import { draft } from '../draft.ts'
import { Engine } from '../engine.ts'
import { generate } from '../generate.ts'
import type { Ending, GenerateRequest } from '../generate.ts'
import { LogitsProcessor, neutralRules } from '../logits.ts'
import { Random } from '../random.ts'
import { Tree } from '../tree.ts'
import { Verification } from '../verify.ts'

const models = path.join(import.meta.dirname, '../../../models')
const signal = new AbortController().signal
const messages = [{ role: 'user' as const, content: 'Ann has 12 apples and eats 3. How many are left?' }]
const TEXTS = 224
/** Texts written at the same time. */
const TOGETHER = 16
const BINS = 10
/** 99.99 % point of χ² with BINS − 1 degrees of freedom: with fixed seeds this never fails by chance. */
const CRITICAL = 33.7

type Sampling = GenerateRequest['sampling']
type Rules = GenerateRequest['rules']

let engine: Engine
let prompt: number[]
let digits: number[]
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 4096 })
  const { tokenizer } = engine.target.model
  prompt = tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: true }))
  digits = tokenizer.encode('0123456789')
})
afterAll(() => engine.close())

/** Nothing but digits can be written: the models have read nothing like it, and each has its own ideas. */
const onlyDigits = (): Rules => ({ ...neutralRules, bias: new Map(digits.map((token) => [token, 100])) })

describe('tokens come as often as the target makes them, at every place in a proposal and after it', () => {
  // Three guesses after the first token, and the bonus: tokens 1 to 3 are guessed, token 4 never is.
  test.each<[string, Sampling, Partial<Rules>]>([
    ['temperature', { temperature: 3, top_k: 0, top_p: 1 }, {}],
    ['top-k', { temperature: 4, top_k: 6, top_p: 1 }, {}],
    ['top-p and min-p', { temperature: 4, top_k: 0, top_p: 0.85, min_p: 0.05 }, {}],
    [
      'penalties',
      { temperature: 3, top_k: 6, top_p: 1 },
      { frequencyPenalty: 2, presencePenalty: 1.5, repetitionPenalty: 1.01 },
    ],
  ])('guesses of the draft model: %s', async (_name, sampling, more) => {
    const rules = { ...onlyDigits(), ...more }
    const outputs = await texts(async (seed) => (await write(seed, sampling, rules, 5)).tokens)
    await expectExact(outputs, 5, sampling, rules)
  })

  test('tokens of a drafted step', async () => {
    const sampling = { temperature: 3, top_k: 0, top_p: 0.7 }
    const outputs = await texts((seed) => verifyDrafted(seed, sampling))
    await expectExact(outputs, 4, sampling, neutralRules)
  })
})

test('as many guesses are kept as any exact scheme can keep: Σ min(p, q)', async () => {
  const sampling = { temperature: 3, top_k: 0, top_p: 1 }
  let [kept, expected, variance] = [0, 0, 0]
  // One guess a text: the second of three tokens.
  await texts(async (seed) => {
    const { tokens, speculation } = await write(seed, sampling, onlyDigits(), 3)
    const [p, q] = (await bothAfter(tokens.slice(0, 2), sampling, onlyDigits()))[1]!
    const most = overlap(p, q)
    expect(speculation.proposed).toBe(1)
    kept += speculation.accepted
    expected += most
    variance += most * (1 - most)
  })
  expect(Math.abs(kept - expected)).toBeLessThan(3.9 * Math.sqrt(variance))
})

async function texts<T>(run: (seed: number) => Promise<T>): Promise<T[]> {
  const all: T[] = []
  for (let seed = 0; seed < TEXTS; seed += TOGETHER)
    all.push(...(await Promise.all(Array.from({ length: TOGETHER }, (_, i) => run(seed + i)))))
  return all
}

async function write(seed: number, sampling: Sampling, rules: Rules, maxTokens: number) {
  const request: GenerateRequest = {
    decoder: engine.target,
    prompt,
    maxTokens,
    sampling: { ...sampling, seed },
    rules,
    ngram: 0,
    draft: 3,
    stop: [],
    stopTokens: [],
    ignoreEndOfText: true,
    includeStop: false,
    skipSpecial: true,
    logprobs: undefined,
  }
  const tokens: number[] = []
  let ending: Ending | undefined
  for await (const piece of generate(engine, request, signal)) {
    tokens.push(...piece.tokens)
    ending = piece.ending
  }
  return { tokens, speculation: ending!.speculation }
}

/** A drafted step of four tokens, and what the target commits of it. */
async function verifyDrafted(seed: number, some: Sampling): Promise<number[]> {
  const id = `text ${seed}`
  // Hotter than a client may ask for.
  const common = { step_tokens: 4, sampling: { ...some, seed } }
  const drafting = { ...parseRequest(DraftRequest, { context: { id, messages }, depth: 1 }), ...common }
  const context = await engine.context(drafting.context)
  const steps: { id: string; text: string }[] = []
  for await (const event of draft(engine, context, drafting, signal))
    if (event.type === 'step') steps.push({ id: event.id, text: event.text })
  const speculation = { drafted: true, ngram: 0, draft: 0 }
  const input = { context: { id, length: 0 }, steps, max_tokens: 8, verifier: 'exact', speculation } as const
  const request = { ...parseRequest(VerifyRequest, input), ...common }
  for await (const event of new Verification(engine, context, request, signal).run())
    if (event.type === 'commit') return event.tokens
  throw new Error('no commit')
}

/**
 * Each token says where it stands among those that could have come, with the ones last that the draft overrates: evenly
 * spread, if the target wrote it. That order shows best what a wrong acceptance does, which is to favour what the draft says.
 */
async function expectExact(outputs: readonly number[][], places: number, sampling: Sampling, rules: Rules) {
  const bins = Array.from({ length: places }, () => Array.from({ length: BINS }, () => 0))
  const overlaps = Array.from({ length: places }, () => 0)
  for (const [seed, output] of outputs.entries()) {
    const random = new Random(seed, 99)
    const tokens = output.slice(0, places)
    for (const [i, [p, q]] of (await bothAfter(tokens, sampling, rules)).entries()) {
      expect(p.tokens, 'the target would never write it').toContain(tokens[i])
      bins[i]![Math.floor(BINS * standing(tokens[i]!, p, q, random.next()))]!++
      overlaps[i]! += overlap(p, q)
    }
  }
  for (const [i, counts] of bins.entries()) {
    const total = counts.reduce((a, b) => a + b)
    expect(total).toBeGreaterThan(TEXTS / 10)
    const expected = total / BINS
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(chiSquare, `token ${i}: ${counts.join(' ')}`).toBeLessThan(CRITICAL)
    // Where the two agree or have nothing in common, nothing is tested.
    expect(overlaps[i]! / total).toBeGreaterThan(0.3)
    expect(overlaps[i]! / total).toBeLessThan(0.8)
  }
}

function standing(token: number, p: Distribution, q: Distribution, u: number): number {
  const ratio = (t: number) => probability(q, t) / probability(p, t)
  const order = p.tokens.toSorted((a, b) => ratio(a) - ratio(b))
  const before = order.slice(0, order.indexOf(token)).reduce((sum, t) => sum + probability(p, t), 0)
  return Math.min(before + u * probability(p, token), 1 - Number.EPSILON)
}

const overlap = (p: Distribution, q: Distribution): number =>
  p.tokens.reduce((sum, token, i) => sum + Math.min(p.probabilities[i]!, probability(q, token)), 0)

/** What target and draft draw each of the output's tokens from. */
async function bothAfter(output: readonly number[], sampling: Sampling, rules: Rules) {
  const parameters = samplingParameters(sampling, engine.target.model.generation, 0)
  const processor = new LogitsProcessor({ ...rules, endTokens: new Set() }, prompt)
  const rows = async (decoder: Decoder): Promise<Distribution[]> => {
    const tree = new Tree(decoder)
    const logits = await tree.prefill(prompt, output.slice(0, -1), [...output.keys()])
    tree.release()
    return logits.map((row, i) => distribution(processor.apply(wholeLogits(row), output.slice(0, i)), parameters))
  }
  const [target, drafted] = await Promise.all([rows(engine.target), rows(engine.draft!)])
  return target.map((p, i) => [p, drafted[i]!] as const)
}
