import { expect, test } from 'vitest'
import { LogitsProcessor, neutralRules, tokenLogprob } from './logits.ts'
import type { LogitRules } from './logits.ts'

const neutral: LogitRules = { ...neutralRules, endTokens: new Set() }
const logits = Float32Array.of(2, -2, 1, 0)
const apply = (rules: Partial<LogitRules>, prompt: number[], output: number[]): number[] => [
  ...new LogitsProcessor({ ...neutral, ...rules }, prompt).apply(logits, output),
]

test('neutral rules hand the row back untouched', () => {
  expect(new LogitsProcessor(neutral, [0]).apply(logits, [1, 1])).toBe(logits)
})

test('presence and frequency count the output, repetition the prompt too', () => {
  expect(apply({ presencePenalty: 0.5 }, [3], [0, 0, 2])).toEqual([1.5, -2, 0.5, 0])
  expect(apply({ frequencyPenalty: 0.5 }, [3], [0, 0, 2])).toEqual([1, -2, 0.5, 0])
  expect(apply({ repetitionPenalty: 2 }, [1], [0, 0])).toEqual([1, -4, 1, 0])
  expect([...logits]).toEqual([2, -2, 1, 0])
})

test('bias is added; ends are impossible until there are enough tokens', () => {
  expect(apply({ bias: new Map([[3, 7]]) }, [], [])).toEqual([2, -2, 1, 7])
  const rules = { minTokens: 2, endTokens: new Set([0]) }
  expect(apply(rules, [], [1])).toEqual([-Infinity, -2, 1, 0])
  expect(apply(rules, [], [1, 1])).toEqual([2, -2, 1, 0])
})

test('log probabilities are those of the softmax, the likeliest first', () => {
  const { logprob, top } = tokenLogprob(logits, 1, 4)
  expect(top.map(({ token }) => token)).toEqual([0, 2, 3, 1])
  expect(top.reduce((sum, entry) => sum + Math.exp(entry.logprob), 0)).toBeCloseTo(1, 6)
  expect(logprob).toBe(top.at(-1)!.logprob)
  expect(tokenLogprob(logits, 1, 2).top).toEqual(top.slice(0, 2))
  expect(tokenLogprob(logits, 1, 0).top).toEqual([])
})
