import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { parseDraft, parseVerify, readSampling } from '../../../test/calls.ts'
import { distribution, samplingParameters } from '../sampling/distribution.ts'
import { draft } from './draft.ts'
import { Engine } from '../engine.ts'
import { Tree } from './tree.ts'
import { verifySteps } from './verify.ts'

const models = path.join(import.meta.dirname, '../../../models')
const { signal } = new AbortController()
const messages = [{ role: 'user' as const, content: 'Ann has 12 apples and eats 3. How many are left?' }]
const TEXTS = 200
const SLOTS = 88
/** Steps are short, and some end with their first token. */
const delimiter = 'e'
const sampling = { temperature: 2, top_k: 0, top_p: 1 }

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models, slots: SLOTS })
})
afterAll(() => engine.close())
afterEach(() => {
  for (const { runner } of engine.runners) runner.kv.assertIdle()
})

/** How likely the text's first token is to hold the delimiter. */
async function expected(): Promise<number> {
  const { tokenizer, generation } = engine.target.model
  const prompt = tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: true }))
  const tree = new Tree(engine.target)
  const [row] = await tree.prefill(prompt, [], [0])
  tree.release()
  const p = distribution(row!, samplingParameters(readSampling(sampling), generation, 0))
  return p.tokens.reduce((sum, token, i) => sum + (endsStep(token) ? p.probabilities[i]! : 0), 0)
}

const endsStep = (token: number): boolean => engine.target.model.tokenizer.decode([token]).includes(delimiter)

/** The first token of a text that is drafted and verified. */
async function first(seed: number, maxTokens: number, stepTokens: number): Promise<number> {
  const id = `text ${seed}`
  const common = { sampling: { ...sampling, seed }, step_rules: { delimiters: [delimiter], max_tokens: stepTokens } }
  const drafting = parseDraft({ context: { id, messages }, depth: 1, ...common })
  const context = await engine.context(drafting.context)
  const steps: { id: string; text: string }[] = []
  for await (const event of draft(engine, context, drafting, signal))
    if (event.type === 'step') steps.push({ id: event.id, text: event.text })
  const speculation = { drafted: true, ngram: 0, draft: 0 }
  const verify = { context: { id, length: 0 }, steps, max_tokens: maxTokens, verifier: 'exact', speculation, ...common }
  let token = -1
  for await (const event of verifySteps(engine, context, parseVerify(verify), signal))
    if (event.type === 'commit') token = event.tokens[0]!
  engine.contexts.drop(id)
  return token
}

test.each([
  ['the answer may have no more tokens than the step', 2, 100],
  ['the pool has room for short steps only', 60, 20],
])('where %s, the text is still distributed as without a draft', async (_, maxTokens, stepTokens) => {
  const p = await expected()
  let count = 0
  for (let seed = 0; seed < TEXTS; seed++) if (endsStep(await first(seed, maxTokens, stepTokens))) count++
  expect(Math.abs(count - TEXTS * p) / Math.sqrt(TEXTS * p * (1 - p))).toBeLessThan(4)
})
