/**
 * Guesses leave every text the target's own: the shipped models, through `generate` and through a verification, where both
 * write almost at random and differ clearly in what. Each of these errors fails a test here: guesses always kept; the token
 * after a rejected one drawn from `p` itself; `q` ignored in one place, or in both (exact, but fewer are kept); the bonus
 * drawn from `q`, or from the `p` before the last guess; one `p` for all places; penalties that do not count the guesses;
 * guesses drawn with the numbers that judge them; guesses copied from the text or the drafted step kept more often than `p`.
 */
import path from 'node:path'
import type { Sampling } from '@lookahead/sdk/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { generateRequest, parseDraft, parseVerify, readSampling, stepRules } from '../../../test/calls.ts'
import { wholeLogits } from '../../model/index.ts'
import { distribution, probability } from '../sampling/distribution.ts'
import type { Distribution, SamplingParameters } from '../sampling/distribution.ts'
import type { ModelRunner } from '../model-runner.ts'
import type { Context } from '../contexts.ts'
import { draft } from '../decode/draft.ts'
import type { VerifyRequest } from '../decode/requests.ts'
import { Engine } from '../engine.ts'
import { generate } from '../decode/generate.ts'
import type { Ending, GenerateRequest } from '../decode/generate.ts'
import { LogitsProcessor, neutralRules } from '../sampling/logits.ts'
import { Random } from '../sampling/random.ts'
import { Tree } from '../decode/tree.ts'
import { verifySteps } from '../decode/verify.ts'
import { nominal } from './costs.ts'
import { lookup } from './proposers/ngram.ts'

const models = path.join(import.meta.dirname, '../../../models')
const signal = new AbortController().signal
const messages = [{ role: 'user' as const, content: 'Ann has 12 apples and eats 3. How many are left?' }]
const TEXTS = 224
/** Texts with guesses that are certain of themselves, which many tokens of each tell of. */
const FEW_TEXTS = 48
/** Texts written at the same time. */
const TOGETHER = 16
const BINS = 10
/** 99.99 % point of χ² with BINS − 1 degrees of freedom: with fixed seeds this never fails by chance. */
const CRITICAL = 33.7
/** The same of a sum of many, in standard deviations. */
const DEVIATIONS = 3.9

type Rules = GenerateRequest['rules']

/** How an output is drawn, and what it follows: the prompt, if nothing is said. */
interface Manner {
  text?: readonly number[]
  sampling: Sampling
  rules: Rules
}

interface Writing extends Manner {
  maxTokens: number
  ngram?: number
  draft?: number
}

let engine: Engine
let coupled = false
let prompt: number[]
let digits: number[]
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 4096 })
  const { tokenizer } = engine.target.model
  prompt = tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: true }))
  digits = tokenizer.encode('0123456789')
})
afterAll(() => engine.close())
beforeEach(() => {
  // Neither the clock nor other texts have a say in what is guessed.
  vi.spyOn(engine, 'costsOf').mockReturnValue(nominal)
  vi.spyOn(engine.target.batcher, 'running', 'get').mockReturnValue(1)
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const { runner } of engine.runners) runner.kv.assertIdle()
})

/** Nothing else can be written: the models have read nothing like it, and each has its own ideas. */
const only = (tokens: readonly number[]): Rules => ({ ...neutralRules, bias: new Map(tokens.map((t) => [t, 100])) })

describe.each([
  ['drawn independently of the guesses', false],
  ['drawn with the noise of each place', true],
])('%s', (_, isCoupled) => {
  beforeAll(() => void (coupled = isCoupled))
  afterAll(() => void (coupled = false))

  describe('tokens come as often as the target makes them, at every place in a proposal and after it', () => {
    // Three guesses after the first token, and the bonus: tokens 1 to 3 are guessed, token 4 never is.
    test.each<[string, Sampling, Partial<Rules>]>([
      ['temperature', { temperature: 1.5, top_k: 0, top_p: 1 }, {}],
      ['top-k', { temperature: 4, top_k: 6, top_p: 1 }, {}],
      ['top-p', { temperature: 4, top_k: 0, top_p: 0.85 }, {}],
      ['min-p', { temperature: 1.5, top_k: 0, top_p: 1, min_p: 0.05 }, {}],
      [
        'penalties',
        { temperature: 3, top_k: 6, top_p: 1 },
        { frequencyPenalty: 2, presencePenalty: 1.5, repetitionPenalty: 1.01 },
      ],
    ])('guesses of the draft model: %s', async (_name, sampling, more) => {
      const writing = { sampling, rules: { ...only(digits), ...more }, maxTokens: 5 }
      const outputs = await texts(async (seed) => (await write(seed, writing)).tokens)
      await expectExact(outputs, 5, writing)
    })

    test('tokens of a drafted step', async () => {
      const sampling = { temperature: 3, top_k: 0, top_p: 0.7 }
      const outputs = await texts((seed) => verifyDrafted(seed, sampling))
      await expectExact(outputs, 4, { sampling, rules: neutralRules })
    })
  })

  describe('a token that was guessed for certain comes as often as the target makes it', () => {
    test.each<[string, Sampling, Partial<Rules>]>([
      ['temperature', { temperature: 2, top_k: 0, top_p: 1 }, {}],
      ['top-p', { temperature: 2, top_k: 0, top_p: 0.7 }, {}],
      ['min-p', { temperature: 2, top_k: 0, top_p: 1, min_p: 0.4 }, {}],
      [
        'penalties',
        { temperature: 3, top_k: 0, top_p: 1 },
        { frequencyPenalty: 6, presencePenalty: 1, repetitionPenalty: 1.01 },
      ],
    ])('guesses copied from the text: %s', async (_name, sampling, more) => {
      const few = digits.slice(0, 3)
      const text = [...prompt, ...Array.from({ length: 8 }, () => few).flat()]
      const rules = { ...only(few), ...more }
      const writing = { text, sampling, rules, maxTokens: 24, ngram: 8, draft: 0 }
      let [proposed, kept] = [0, 0]
      const outputs = await texts(async (seed) => {
        const { tokens, speculation } = await write(seed, writing)
        proposed += speculation.proposed
        kept += speculation.accepted
        return tokens
      }, FEW_TEXTS)
      await expectUnswayed(outputs, writing, (output) => {
        const all = [...text, ...output]
        return lookup(all, all, 1)[0]
      })
      expect(Math.min(kept, proposed - kept)).toBeGreaterThan(FEW_TEXTS)
    })

    describe('a drafted step that comes as text', () => {
      const sampling = { temperature: 2.5, top_k: 20, top_p: 1 }
      const manner = { sampling, rules: neutralRules }
      const likeliest = (maxTokens: number): Writing => ({
        sampling: { temperature: 0 },
        rules: neutralRules,
        maxTokens,
        draft: 0,
      })

      test('as long as the target agrees', async () => {
        const { tokens: step } = await write(0, likeliest(6))
        const outputs = await texts((seed) => verifyText(seed, sampling, step))
        await expectUnswayed(outputs, manner, (output) =>
          output.every((token, i) => token === step[i]) ? step[output.length] : undefined,
        )
      })

      test('what is left of it after that', async () => {
        const step = asTextHasIt((await write(0, likeliest(24))).tokens)
        const outputs = await texts((seed) => verifyText(seed, sampling, step), FEW_TEXTS)
        await expectUnswayed(outputs, manner, (output) => {
          const agreed = output.findIndex((token, i) => token !== step[i])
          return agreed < 0 ? undefined : lookup(step.slice(agreed), output, 1, { shortest: 1 })[0]
        })
      })
    })
  })
})

test('as many guesses are kept as any exact scheme can keep: Σ min(p, q)', async () => {
  // One guess a text: the second of three tokens.
  const writing = { sampling: { temperature: 3, top_k: 0, top_p: 1 }, rules: only(digits), maxTokens: 3 }
  let [kept, expected, variance] = [0, 0, 0]
  await texts(async (seed) => {
    const { tokens, speculation } = await write(seed, writing)
    const [p, q] = (await bothAfter(tokens.slice(0, 2), writing))[1]!
    const most = overlap(p, q)
    expect(speculation.proposed).toBe(1)
    kept += speculation.accepted
    expected += most
    variance += most * (1 - most)
  })
  expect(Math.abs(kept - expected)).toBeLessThan(DEVIATIONS * Math.sqrt(variance))
})

async function texts<T>(run: (seed: number) => Promise<T>, count = TEXTS): Promise<T[]> {
  const all: T[] = []
  for (let seed = 0; seed < count; seed += TOGETHER)
    all.push(...(await Promise.all(Array.from({ length: TOGETHER }, (_, i) => run(seed + i)))))
  return all
}

async function write(seed: number, { text = prompt, sampling, ...more }: Writing) {
  const options = { sampling: { ...sampling, seed }, coupled, ngram: 0, draft: 3, ignoreEndOfText: true, ...more }
  const tokens: number[] = []
  let ending: Ending | undefined
  for await (const piece of generate(engine, generateRequest(engine, text, options), signal)) {
    tokens.push(...piece.tokens)
    ending = piece.ending
  }
  return { tokens, speculation: ending!.speculation }
}

/** A drafted step of four tokens, and what the target commits of it. */
async function verifyDrafted(seed: number, some: Sampling): Promise<number[]> {
  const id = `text ${seed}`
  const common = { stepRules: cutAfter(4), sampling: drawn(some, seed) }
  const drafting = { ...parseDraft({ context: { id, messages }, depth: 1 }), ...common }
  const context = seeded(await engine.context(drafting.context), seed)
  const steps: { id: string; text: string }[] = []
  for await (const event of draft(engine, context, drafting, signal))
    if (event.type === 'step') steps.push({ id: event.id, text: event.text })
  return verify(seed, { context: { id, length: 0 }, steps, max_tokens: 8 }, common)
}

/** What the target commits of a step that comes as text. */
async function verifyText(seed: number, some: Sampling, step: readonly number[]): Promise<number[]> {
  const { tokenizer } = engine.target.model
  const text = tokenizer.decode(step)
  expect(tokenizer.encode(text, { continuing: true })).toEqual(step)
  const common = { stepRules: cutAfter(step.length), sampling: drawn(some, seed) }
  return verify(
    seed,
    { context: { id: `text ${seed}`, messages }, steps: [{ text }], max_tokens: step.length + 1 },
    common,
  )
}

/** A model may write a text in other tokens than the tokenizer. */
function asTextHasIt(tokens: readonly number[]): number[] {
  const { tokenizer } = engine.target.model
  return tokenizer.encode(tokenizer.decode(tokens), { continuing: true })
}

const drawn = (some: Sampling, seed: number) => readSampling(coupled ? { ...some, seed } : some)
const cutAfter = (tokens: number) => stepRules({ max_tokens: tokens })

/** What a request without a seed is drawn with. */
const seeded = (context: Context, seed: number): Context => Object.assign(context, { seed })

/** @param common hotter than a client may ask for */
async function verify(
  seed: number,
  some: object,
  common: Pick<VerifyRequest, 'stepRules' | 'sampling'>,
): Promise<number[]> {
  const speculation = { drafted: true, ngram: 0, draft: 0 }
  const request = { ...parseVerify({ ...some, verifier: 'exact', speculation }), ...common }
  const context = seeded(await engine.context(request.context), seed)
  for await (const event of verifySteps(engine, context, request, signal))
    if (event.type === 'commit') return [...event.tokens]
  throw new Error('no commit')
}

/**
 * Each token says where it stands among those that could have come, with the ones last that the draft overrates: evenly
 * spread, if the target wrote it. That order shows best what a wrong acceptance does, which is to favour what the draft says.
 */
async function expectExact(outputs: readonly number[][], places: number, manner: Manner) {
  const bins = Array.from({ length: places }, () => Array.from({ length: BINS }, () => 0))
  const overlaps = Array.from({ length: places }, () => 0)
  const random = new Random(99)
  const all = outputs.map((output) => output.slice(0, places))
  const rows = await Promise.all(all.map((tokens) => bothAfter(tokens, manner)))
  for (const [n, tokens] of all.entries()) {
    for (const [i, [p, q]] of rows[n]!.entries()) {
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
    expect(overlaps[i]! / total).toBeLessThan(0.9)
  }
}

/**
 * How often what was guessed came, against the sum of its chances: sharper than χ², since each guess that is kept too easily
 * adds to one number.
 * @param guess the token that is guessed after this much of an output, if one is
 */
async function expectUnswayed(
  outputs: readonly number[][],
  manner: Manner,
  guess: (output: readonly number[]) => number | undefined,
) {
  let [came, expected, variance] = [0, 0, 0]
  const rows = await Promise.all(outputs.map((output) => distributionsOf(engine.target, output, manner)))
  for (const [n, output] of outputs.entries())
    for (const [i, p] of rows[n]!.entries()) {
      expect(p.tokens, 'the target would never write it').toContain(output[i])
      const guessed = guess(output.slice(0, i))
      if (guessed === undefined) continue
      const chance = probability(p, guessed)
      if (output[i] === guessed) came++
      expected += chance
      variance += chance * (1 - chance)
    }
  // Where all are certain to be right or wrong, nothing is tested.
  expect(variance).toBeGreaterThan(30)
  expect(Math.abs(came - expected), `${came} came`).toBeLessThan(DEVIATIONS * Math.sqrt(variance))
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
async function bothAfter(output: readonly number[], manner: Manner) {
  const [target, drafted] = await Promise.all([
    distributionsOf(engine.target, output, manner),
    distributionsOf(engine.draft!, output, manner),
  ])
  return target.map((p, i) => [p, drafted[i]!] as const)
}

/** What a model draws each of the output's tokens from. */
async function distributionsOf(
  runner: ModelRunner,
  output: readonly number[],
  { text = prompt, sampling, rules }: Manner,
): Promise<Distribution[]> {
  const processor = new LogitsProcessor({ ...rules, endTokens: new Set() }, text)
  const tree = new Tree(runner)
  const logits = await tree.prefill(text, output.slice(0, -1), [...output.keys()])
  tree.release()
  return logits.map((row, i) =>
    distribution(processor.apply(wholeLogits(row), output.slice(0, i)), parametersOf(sampling)),
  )
}

/** Not as the engine reads them, which is tested too. */
const parametersOf = ({
  temperature = 1,
  top_k: topK = 0,
  top_p: topP = 1,
  min_p: minP = 0,
}: Sampling): SamplingParameters => ({
  temperature,
  topK,
  topP,
  minP,
  seed: 0,
})
