/** A model fails while texts are being written: the text goes on and is right, unless it was the target; no slot is lost. */
import path from 'node:path'
import type { VerifyRequestInput } from '@lookahead/sdk/protocol'
import type { VerifyEvent } from './events.ts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseVerify } from '../../test/calls.ts'
import { testProblems } from '../../dataset/index.ts'
import type { Model } from '../model/index.ts'
import type { ModelRunner } from './model-runner.ts'
import { Engine } from './engine.ts'
import { generate } from './decode/generate.ts'
import { neutralRules } from './sampling/logits.ts'
import { verifySteps } from './decode/verify.ts'

const models = path.join(import.meta.dirname, '../../models')
const signal = new AbortController().signal
const problem = testProblems(1)[0]!
const messages = [{ role: 'user' as const, content: problem.question }]
const sampling = { temperature: 0 }

/** What the target writes by itself. */
let plain: { text: string; tokens: number[] }
let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 1024 })
  plain = await write({ ngram: 0, draft: 0 })
  engine.close()
})
beforeEach(async () => {
  engine = await Engine.load({ models, slots: 1024 })
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const { runner } of engine.runners) {
    runner.kv.assertIdle()
    expect(runner.batcher.running).toBe(0)
  }
  engine.close()
})
afterAll(() => expect(plain.tokens.length).toBeGreaterThan(50))

/** Does something just before a model's n-th forward from now. */
function before(model: Model, n: number, happen: () => void): void {
  const forward = model.forward.bind(model)
  let forwards = 0
  vi.spyOn(model, 'forward').mockImplementation((rows) => {
    if (++forwards === n) happen()
    return forward(rows)
  })
}

/** The model is gone from its n-th forward on. */
const failAt = ({ model }: ModelRunner, n: number): void => before(model, n, () => model.close())

async function write({ ngram, draft }: { ngram: number; draft: number }) {
  const { tokenizer } = engine.target.model
  const rules = neutralRules
  const request = {
    runner: engine.target,
    prompt: tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: true })),
    maxTokens: 200,
    sampling,
    stop: [],
    stopTokens: new Set<number>(),
    ignoreEndOfText: false,
    includeStop: false,
    skipSpecial: true,
    rules,
    logprobs: undefined,
    ngram,
    draft,
  }
  const whole = { text: '', tokens: [] as number[] }
  for await (const { text, tokens } of generate(engine, request, signal)) {
    whole.text += text
    whole.tokens.push(...tokens)
  }
  return whole
}

async function verify(options: Omit<VerifyRequestInput, 'context' | 'max_tokens'>): Promise<VerifyEvent[]> {
  const request = parseVerify({
    context: { id: 'run', messages },
    max_tokens: 200,
    sampling,
    ...options,
  })
  const events: VerifyEvent[] = []
  for await (const event of verifySteps(engine, await engine.context(request.context), request, signal))
    events.push(event)
  return events
}
const committed = (events: VerifyEvent[]) => events.find((event) => event.type === 'commit')!

/** The first steps of the plain text, said in other words. */
const reworded = (count: number): { text: string }[] =>
  plain.text
    .split(/(?<=\n\n)/)
    .slice(0, count)
    .map((step) => ({ text: `So ${step}` }))

describe('the draft model', () => {
  const ngram = 0

  test.each([1, 2, 9])('fails at its forward %i: texts go on without it', async (n) => {
    failAt(engine.draft!, n)
    const texts = await Promise.all([write({ ngram, draft: 4 }), write({ ngram, draft: 4 })])
    expect(texts).toEqual([plain, plain])
    expect(await write({ ngram, draft: 4 })).toEqual(plain)
  })

  test.each([1, 2, 9])('fails at its forward %i in a verification of several steps', async (n) => {
    failAt(engine.draft!, n)
    const speculation = { drafted: true, ngram, draft: 4 }
    const events = await verify({ steps: reworded(3), verifier: 'exact', speculation, decode: 'end' })
    const { tokens, accepted } = committed(events)
    expect(accepted).toBe(0)
    expect(tokens).toEqual(plain.tokens.slice(0, tokens.length))
    expect(committed(await verify({ decode: 'end', speculation })).tokens).toEqual(plain.tokens)
  })

  test('has no slots left in the middle of a text', async () => {
    const {
      model,
      kv: { pool },
    } = engine.draft!
    let held: number[] = []
    before(model, 5, () => (held = pool.take(pool.free)!))
    expect(await write({ ngram, draft: 4 })).toEqual(plain)
    expect(held.length).toBeGreaterThan(0)
    pool.give(held)
  })
})

test('the judge fails: the target has its way', async () => {
  const solutions = [1, 2, 3, 4, 5].map((seed) => problem.solve(seed).steps)
  const steps = solutions
    .find(([first]) => !plain.text.startsWith(first!))!
    .slice(0, 2)
    .map((text) => ({ text }))
  const speculation = { drafted: false, ngram: 0, draft: 0 }
  expect(await verify({ steps, speculation })).toContainEqual(
    expect.objectContaining({ type: 'verdict', accepted: true }),
  )
  failAt(engine.judge!.runner, 1)
  const events = await verify({ steps, speculation })
  expect(events).toContainEqual({ type: 'verdict', index: 0, accepted: false, reason: 'judge_failed' })
  const { tokens } = committed(events)
  expect(tokens.length).toBeGreaterThan(0)
  expect(tokens).toEqual(plain.tokens.slice(0, tokens.length))
})

describe('the target fails: the call does, and gives back what it and its proposers hold', () => {
  test('while it writes', async () => {
    failAt(engine.target, 6)
    await expect(write({ ngram: 8, draft: 4 })).rejects.toThrow('closed')
  })

  test('while it verifies', async () => {
    failAt(engine.target, 4)
    await expect(verify({ steps: reworded(3), speculation: { draft: 4 } })).rejects.toThrow('closed')
  })
})
