/** Texts are the same whether models hand out whole rows of logits or the likeliest tokens, which are enough as a rule. */
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { parseDraft, parseVerify } from '../../test/calls.ts'
import { testProblems } from '../../dataset/index.ts'
import { Engine } from './engine.ts'
import { distribution, reduction, samplingParameters } from './sampling/distribution.ts'
import { draft } from './decode/draft.ts'
import { generate } from './decode/generate.ts'
import type { GenerateRequest } from './decode/generate.ts'
import { neutralRules } from './sampling/logits.ts'
import { nominal } from './speculation/costs.ts'
import { DraftModel } from './speculation/proposers/draft-model.ts'
import { TokenNoise } from './sampling/noise.ts'
import { verifySteps } from './decode/verify.ts'

const models = path.join(import.meta.dirname, '../../models')
const signal = new AbortController().signal
const questions = testProblems(3).map((problem) => problem.question)
const MAX_TOKENS = 80

let whole: Engine
let reduced: Engine
beforeAll(async () => {
  whole = await Engine.load({ models, slots: 4096, reducedLogits: false })
  reduced = await Engine.load({ models, slots: 4096, reducedLogits: true })
})
afterAll(() => {
  whole.close()
  reduced.close()
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const { runner } of [...whole.runners, ...reduced.runners]) runner.kv.assertIdle()
})

type Settings = Pick<GenerateRequest, 'sampling'> & Partial<Pick<GenerateRequest, 'logprobs'>> & { minTokens?: number }

async function write(engine: Engine, question: string, { sampling, logprobs, minTokens = 0 }: Settings) {
  const { tokenizer } = engine.target.model
  const prompt = tokenizer.renderChat([{ role: 'user', content: question }], { addGenerationPrompt: true })
  const request: GenerateRequest = {
    runner: engine.target,
    prompt: tokenizer.encode(prompt),
    maxTokens: MAX_TOKENS,
    sampling: { seed: 7, ...sampling },
    stop: [],
    stopTokens: new Set<number>(),
    ignoreEndOfText: false,
    includeStop: false,
    skipSpecial: true,
    logprobs,
    rules: { ...neutralRules, minTokens },
  }
  const text = { tokens: [] as number[], logprobs: [] as unknown[], accepted: 0 }
  for await (const piece of generate(engine, request, signal)) {
    text.tokens.push(...piece.tokens)
    text.logprobs.push(...piece.logprobs)
    text.accepted += piece.ending?.speculation.accepted ?? 0
  }
  return text
}

// Neither the clock nor other texts have a say in what is guessed.
beforeEach(() => {
  for (const engine of [whole, reduced]) {
    vi.spyOn(engine, 'costsOf').mockReturnValue(nominal)
    vi.spyOn(engine.target.batcher, 'running', 'get').mockReturnValue(1)
  }
})

/** Rows of logits that `work` makes the reducing target and draft hand out whole. */
async function fetched(work: () => Promise<unknown>): Promise<number> {
  const count = () => reduced.stats.target!.wholeLogits + reduced.stats.draft!.wholeLogits
  const before = count()
  await work()
  return count() - before
}

test.each<[string, Settings]>([
  ['temperature 0', { sampling: { temperature: 0 } }],
  ["the models' own sampling", { sampling: {} }],
  ['top-k 20', { sampling: { temperature: 1.2, topK: 20, topP: 1 } }],
  ['min-p', { sampling: { temperature: 1, topK: 0, topP: 1, minP: 0.05 } }],
  ['top-k, top-p and min-p', { sampling: { temperature: 1.2, topK: 40, topP: 0.9, minP: 0.01 } }],
])('%s: no row is fetched whole', async (_, settings) => {
  const expected = await Promise.all(questions.map((question) => write(whole, question, settings)))
  const rows = await fetched(async () => {
    expect(await Promise.all(questions.map((question) => write(reduced, question, settings)))).toEqual(expected)
  })
  expect(expected.every(({ accepted }) => accepted > 0)).toBe(true)
  expect(rows).toBe(0)
})

test('rows are fetched whole where the likeliest tokens are not enough', async () => {
  const settings = { sampling: { temperature: 2.2, topK: 0, topP: 0.98 } }
  const expected = await write(whole, questions[0]!, settings)
  const rows = await fetched(async () => expect(await write(reduced, questions[0]!, settings)).toEqual(expected))
  expect(rows).toBeGreaterThan(0)
  expect(rows).toBeLessThan(reduced.stats.target!.newTokens)
})

test('log probabilities, rules and untruncated sampling have every row whole, in common forwards with texts that do not', async () => {
  const settings: Settings[] = [
    { sampling: { temperature: 0 }, logprobs: 3 },
    { sampling: { temperature: 1, topP: 0.9 }, minTokens: 60 },
    { sampling: { temperature: 1, topK: 0, topP: 1 } },
    { sampling: { temperature: 0 } },
  ]
  const expected: unknown[] = []
  for (const own of settings) expected.push(await write(whole, questions[1]!, own))
  const rows = await fetched(async () => {
    expect(await Promise.all(settings.map((own) => write(reduced, questions[1]!, own)))).toEqual(expected)
  })
  expect(rows).toBeGreaterThan(3 * 30)
})

test.each([
  { verifier: 'judge', sampling: { temperature: 0 } },
  { verifier: 'judge', sampling: { temperature: 0.9, top_p: 0.95, seed: 3 } },
  { verifier: 'likelihood', sampling: { temperature: 0.9, top_p: 0.95, seed: 3 } },
  { verifier: 'likelihood', sampling: { temperature: 1.5, top_p: 1, top_k: 20, seed: 4 } },
])('cycles of drafted and verified steps come out the same: %o', async ({ verifier, sampling }) => {
  const cycles = async (engine: Engine) => {
    const id = `cycles ${verifier} ${sampling.temperature}`
    const events: unknown[] = []
    for (let output: number[] = []; ;) {
      const context = { id, messages: [{ role: 'user' as const, content: questions[2]! }], output }
      const drafting = parseDraft({ context, depth: 2, sampling })
      const steps: { id: string; text: string }[] = []
      for await (const event of draft(engine, await engine.context(context), drafting, signal))
        if (event.type === 'step') steps.push({ id: event.id, text: event.text })
      const last = { id, length: output.length }
      const request = parseVerify({ context: last, steps, verifier, max_tokens: MAX_TOKENS, sampling })
      for await (const event of verifySteps(engine, await engine.context(last), request, signal)) {
        if (event.type === 'verdict') events.push(event)
        if (event.type !== 'commit') continue
        events.push(event)
        if (event.finish || output.length > 2 * MAX_TOKENS) return events
        output = [...output, ...event.tokens]
      }
    }
  }
  const expected = await cycles(whole)
  const rows = await fetched(async () => expect(await cycles(reduced)).toEqual(expected))
  expect(rows).toBe(0)
})

test('a draft model that knows more tokens than the target guesses none of those', async () => {
  const parameters = samplingParameters({ temperature: 2, topK: 0, topP: 0.9 }, { eosTokenIds: [] }, 1)
  const vocabulary = 300
  const proposer = new DraftModel({
    runner: reduced.draft!,
    vocabulary,
    distribution: (scores) => distribution(scores, parameters),
    noise: new TokenNoise(1),
    guesses: reduced.guesses,
    target: reduced.target.batcher,
    tree: { signal, reduced: reduction(parameters) },
  })
  const guesses = await proposer.propose([1, 2, 3], 40)
  proposer.close()
  expect(guesses).toHaveLength(40)
  expect(Math.max(...guesses.flatMap(({ q }) => q!.tokens))).toBeLessThan(vocabulary)
})
