/** The shipped models with several alternatives for each step: the text is that of plain decoding, and more of it is drafted. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { asDrafted, draftSteps, follow, forget, loadEngine, unaided, verify } from '../../test/calls.ts'
import type { Engine } from './engine.ts'

const MAX_TOKENS = 120
const [first, second] = testProblems(2).map(({ question }) => [{ role: 'user' as const, content: question }])

let engine: Engine
beforeAll(async () => {
  engine = await loadEngine({ judge: false })
})
afterAll(() => engine.close())
afterEach(() => forget(engine))

interface Kind {
  messages: typeof first
  sampling: { temperature: number; seed?: number }
  width: number
  speculation?: typeof asDrafted | typeof unaided
}

async function plain({ messages, sampling }: Kind): Promise<readonly number[]> {
  const options = { sampling, max_tokens: MAX_TOKENS, decode: 'end' as const, speculation: unaided }
  const { commit } = await verify(engine, { id: 'plain', messages: messages! }, options)
  engine.contexts.drop('plain')
  return commit.tokens
}

/** Cycle after cycle, as the worker asks for them. @returns the text, and what became of the drafted steps */
async function cycles({ messages, sampling, width, speculation = asDrafted }: Kind) {
  const tokens: number[] = []
  const ruled = { places: 0, accepted: 0, others: 0 }
  for (;;) {
    const context = { id: 'run', messages: messages!, output: tokens }
    const told = await draftSteps(engine, context, 3, { width, sampling })
    const steps = told
      .filter(({ alternative }) => !alternative)
      .map(({ id, text, index }) => {
        const alternatives = told.filter((other) => other.index === index && other.alternative)
        return { id, text, alternatives: alternatives.map((other) => ({ id: other.id, text: other.text })) }
      })
    const options = { steps, verifier: 'exact', speculation, sampling, max_tokens: MAX_TOKENS - tokens.length }
    const { commit, verdicts } = await verify(engine, { id: 'run', length: tokens.length }, options)
    ruled.places += new Set(verdicts.map(({ index }) => index)).size
    ruled.accepted += commit.accepted
    ruled.others += verdicts.filter(({ accepted, alternative }) => accepted && alternative).length
    tokens.push(...commit.tokens)
    if (commit.finish) break
  }
  engine.contexts.drop('run')
  return { tokens, ...ruled }
}

test('one cycle after the other: the same text at every width, and no smaller part of the steps is accepted', async () => {
  const totals = new Map<number, { places: number; accepted: number; others: number }>()
  for (const kind of [
    { messages: first, sampling: { temperature: 0 } },
    { messages: first, sampling: { temperature: 1, seed: 5 } },
    { messages: second, sampling: { temperature: 1, seed: 6 }, speculation: unaided },
  ]) {
    const expected = await plain({ ...kind, width: 1 })
    for (const width of [1, 2, 4]) {
      const { tokens, places, accepted, others } = await cycles({ ...kind, width })
      expect(tokens, `width ${width}`).toEqual(expected)
      const total = totals.get(width) ?? { places: 0, accepted: 0, others: 0 }
      totals.set(width, {
        places: total.places + places,
        accepted: total.accepted + accepted,
        others: total.others + others,
      })
    }
  }
  const rates = [1, 2, 4].map((width) => totals.get(width)!.accepted / totals.get(width)!.places)
  expect(rates, JSON.stringify([...totals])).toEqual(rates.toSorted((a, b) => a - b))
  expect(rates[2]).toBeGreaterThan(rates[0]!)
  expect(totals.get(1)!.others).toBe(0)
  expect(totals.get(4)!.others).toBeGreaterThan(0)
})

test.each([
  ['overlapped', true],
  ['in turns', false],
])('cycles that follow one another, %s: the same text at every width', async (_, overlap) => {
  for (const sampling of [{ temperature: 0 }, { temperature: 1, seed: 7 }]) {
    const expected = await plain({ messages: second, sampling, width: 1 })
    for (const width of [1, 2, 4]) {
      const options = { sampling, width, overlap, depth: 3, max_tokens: MAX_TOKENS, verifier: 'exact' }
      const events = await follow(engine, { messages: second! }, { ...options, speculation: asDrafted })
      expect(events.flatMap((event) => (event.type === 'commit' ? event.tokens : []))).toEqual(expected)
    }
  }
})
