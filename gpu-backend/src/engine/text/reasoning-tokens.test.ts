import path from 'node:path'
import { expect, test } from 'vitest'
import { Tokenizer } from '../../tokenizer/index.ts'
import { ReasoningTokens } from './reasoning-tokens.ts'

const tokenizer = await Tokenizer.load(path.join(import.meta.dirname, '../../../models/target'))
const tokens = (text: string) => tokenizer.encode(text)
const thinking = { thinking: true, after_tag: true, partial_tag: '' }

test('tokens are thinking until the closing tag, which counts, however they come', () => {
  const [thought, answer] = [tokens('12 minus 3 is 9.\n\n</think>'), tokens('\n\nThe answer is 9.')]
  const all = [...thought, ...answer]
  expect(new ReasoningTokens(tokenizer, thinking).push(all)).toBe(thought.length)
  const oneByOne = new ReasoningTokens(tokenizer, thinking)
  expect(all.reduce((sum, token) => sum + oneByOne.push([token]), 0)).toBe(thought.length)
})

test('without thinking there are none, and it may begin later', () => {
  const after = { ...thinking, thinking: false }
  expect(new ReasoningTokens(tokenizer, after).push(tokens('The answer is 9.'))).toBe(0)
  const later = [...tokens('Well.'), ...tokens('<think>Is it?</think>'), ...tokens('Yes.')]
  const count = new ReasoningTokens(tokenizer, after).push(later)
  expect(count).toBeGreaterThan(0)
  expect(count).toBeLessThanOrEqual(tokens('<think>Is it?</think>').length)
})
