/** How much is guessed, and what that brings. */
import { describe, expect, test } from 'vitest'
import { asDrafted, unaided, verify, write } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import type { Staged } from '../../test/staged.ts'
import { nominal } from './speculation/costs.ts'
import { SpeculationLength } from './speculation/length.ts'

const prompt = 'How many apples has Ann in the end, if she eats some?\n'
const context = { id: 'run', prompt }
const staged = stageEngine()
const tokensOf = (text: string): number[] => staged.tokenizer.encode(text)
const sampling = { temperature: 0, seed: 1 }
const LENGTH = 120

/** Some letter after every text, as hard to foresee as a coin. */
const letterAfter = (text: readonly number[], among = 'abcdefghijklmnop'): number => {
  const letters = tokensOf(among)
  const hash = text.reduce((sum, token) => Math.imul(sum ^ token, 0x01000193) >>> 0, 0x811c9dc5)
  return letters[(hash >>> 8) % letters.length]!
}

/** The draft is right where it is said to be, by the length of the text. */
function stageBoth(isRight: (length: number) => boolean): { target: Staged; draft: Staged } {
  const [digit] = tokensOf('7') as [number]
  const target = staged.says('target', (text) => letterAfter(text))
  return { target, draft: staged.says('draft', (text) => (isRight(text.length) ? letterAfter(text) : digit)) }
}

/** It was asked about the text, and its own guesses of late, not about guesses that proved wrong before. */
function expectFaithful(draft: Staged, whole: readonly number[], most: number): void {
  for (const text of draft.asked) {
    const wrong = text.findIndex((token, i) => token !== whole[i])
    expect(wrong < 0 || text.length - wrong < most).toBe(true)
  }
}

type Numbers = { tokens: readonly number[]; speculation: { proposed: number; accepted: number } }

describe.each<[string, (most: number, length: number) => Promise<Numbers>]>([
  ['a completion', (draft, maxTokens) => write(staged.engine, tokensOf(prompt), { maxTokens, draft, sampling })],
  [
    'a verification',
    async (draft, length) => {
      const speculation = { ...unaided, draft }
      const options = { decode: 'end', max_tokens: length, sampling, speculation } as const
      const { commit, ...verified } = await verify(staged.engine, context, options)
      return { tokens: commit.tokens, speculation: verified.speculation }
    },
  ],
])('in %s', (_, written) => {
  test('guesses that are never right fade out', async () => {
    const { target } = stageBoth(() => false)
    const { tokens, speculation } = await written(8, LENGTH)
    expect(tokens).toHaveLength(LENGTH)
    expect(speculation.accepted).toBe(0)
    expect(speculation.proposed).toBeGreaterThan(0)
    expect(speculation.proposed).toBeLessThan(LENGTH / 2)
    expect(target.forwards).toHaveLength(LENGTH)
  })

  test('guesses that are always right save most forwards', async () => {
    const { target } = stageBoth(() => true)
    const { tokens, speculation } = await written(8, LENGTH)
    expect(tokens).toHaveLength(LENGTH)
    expect(speculation.accepted).toBeGreaterThan(0.8 * LENGTH)
    expect(target.forwards.length).toBeLessThan(LENGTH / 6)
  })

  test('the draft goes on from what the target wrote, not from its own wrong guesses', async () => {
    const most = 4
    const { draft } = stageBoth((length) => length % 5 > 0)
    const { tokens, speculation } = await written(most, LENGTH)
    expectFaithful(draft, [...tokensOf(prompt), ...tokens], most)
    expect(speculation.accepted).toBeGreaterThan(LENGTH / 2)
  })
})

test('what was learnt in one call counts in the next of the same text', async () => {
  stageBoth(() => false)
  const speculation = { ...unaided, draft: 8 }
  const options = { step_rules: { max_tokens: 40 }, max_tokens: 500, sampling, speculation }
  const first = await verify(staged.engine, context, options)
  const second = await verify(staged.engine, { id: 'run', length: 40 }, options)
  expect(first.speculation.proposed).toBeGreaterThan(0)
  expect(second.speculation.proposed).toBeLessThan(first.speculation.proposed / 2)
})

test('right guesses beyond the end of a step do not count as kept', async () => {
  const text = ['We have 12 apples.\n\n', 'So it goes on and on.\n\n']
  for (const role of ['target', 'draft'] as const) staged.writes(role, prompt, text)
  const options = { max_tokens: 100, sampling, speculation: { ...unaided, draft: 8 } }
  const { commit, speculation } = await verify(staged.engine, context, options)
  expect(commit.text).toBe(text[0])
  // Every forward with guesses gives those that are kept, and a token of the target's own; but for the last, perhaps.
  expect(speculation.accepted).toBeGreaterThan(0)
  expect(speculation.accepted).toBeLessThan(commit.tokens.length)
})

test('where the text has nothing to copy, the draft is asked', async () => {
  stageBoth(() => true)
  const { speculation } = await write(staged.engine, tokensOf(prompt), { maxTokens: 30, ngram: 4, draft: 4, sampling })
  expect(speculation.accepted).toBeGreaterThan(15)
})

describe('a text that repeats itself', () => {
  const line = 'Ann has 12 red apples and 3 pears.'
  const whole = `${line} So ${line} Yes, ${line} And ${line}`

  test('is copied from, without a draft', async () => {
    const target = staged.writes('target', prompt, [whole])
    const { text } = await write(staged.engine, tokensOf(prompt), { ngram: 8, sampling })
    expect(text).toBe(whole)
    expect(target.forwards.length).toBeLessThan(tokensOf(whole).length * 0.6)
  })

  test('is copied from and drafted in turns, and the draft goes on from what was copied', async () => {
    const phrases = 'hgfedcba ij hgfedcba kl hgfedcba mn hgfedcba op hgfedcba'.replaceAll(' ', '')
    const tokens = [...tokensOf(prompt), ...Array.from(phrases).flatMap(tokensOf)]
    staged.writes('target', prompt, Array.from(phrases))
    // The draft goes wrong where the phrase begins, just before it can be copied.
    const [digit, begins] = [tokensOf('7')[0]!, tokensOf('h')[0]!]
    const draft = staged.says('draft', (text) => (text.at(-1) === begins ? digit : (tokens[text.length] ?? staged.end)))
    const { text } = await write(staged.engine, tokensOf(prompt), { ngram: 8, draft: 4, sampling })
    expect(text).toBe(phrases)
    expect(draft.asked.length).toBeGreaterThan(10)
    expectFaithful(draft, [...tokens, staged.end], 4)
  })
})

test('copies that are mostly wrong are given up, and the draft that is right is not', async () => {
  // Of so few letters any two have stood there before, and something else came after them.
  const say = (text: readonly number[]): number => letterAfter(text, 'abcdef')
  const target = staged.says('target', say)
  staged.says('draft', say)
  const options = { maxTokens: 3 * LENGTH, ngram: 8, draft: 8, sampling }
  const { tokens } = await write(staged.engine, tokensOf(prompt), options)
  expect(tokens).toHaveLength(3 * LENGTH)
  expect(target.forwards.length).toBeLessThan((3 * LENGTH) / 4)
})

describe('drafted steps as guesses', () => {
  const steps = ['We have 12 apples.\n\n', 'We eat 3 of them.\n\n', 'We are left with 9.\n\n']

  test('cost one forward together, where the target agrees', async () => {
    const target = staged.writes('target', prompt, [...steps, 'So'])
    const options = { steps: steps.map((text) => ({ text })), max_tokens: 100, sampling, speculation: asDrafted }
    const { commit, speculation } = await verify(staged.engine, context, options)
    const [guessed, own] = [tokensOf(steps.join('')).length, tokensOf('So').length]
    expect(commit).toMatchObject({ accepted: 3, finish: 'stop' })
    expect(speculation).toMatchObject({ proposed: guessed, accepted: guessed })
    // One gives the first token of the target's own step, and each further one a token more.
    expect(target.forwards).toHaveLength(1 + own)
  })

  test('help again where the two come together after a word', async () => {
    const mine = 'We really are left with 9 apples in the end.\n\n'
    const theirs = 'We surely are left with 9 apples in the end.\n\n'
    const target = staged.writes('target', prompt, [mine])
    const options = { steps: [{ text: theirs }], max_tokens: 100, sampling, speculation: asDrafted }
    const { commit } = await verify(staged.engine, context, { ...options, verifier: 'exact' })
    expect(commit.text).toBe(mine)
    expect(target.forwards.length).toBeLessThan(tokensOf(mine).length / 2)
  })
})

test('a guess after a wrong one was never judged: it counts neither as right nor as wrong', () => {
  const length = new SpeculationLength()
  // The first guess is right every other time; then all are.
  let counts: number[] = []
  for (let i = 0; i < 100; i++) {
    const count = length.next({ most: 8, costs: { ...nominal, guess: () => 0.02 } })
    length.observe(count, i % 2 === 0 ? count : 0)
    counts = [...counts.slice(-9), count]
  }
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(6)
})

test('guesses that cost more than the forwards they save are not made, though they are right', () => {
  const length = new SpeculationLength()
  const costs = { forward: () => 1, guess: () => 2 }
  const counts = Array.from({ length: 50 }, () => length.next({ most: 8, costs }))
  expect(counts.filter((count) => count > 0)).toEqual([])
})
