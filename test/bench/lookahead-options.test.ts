import { expect, test } from 'vitest'
import { lookaheadOf, lookaheadRequest, refused } from './lookahead-options.ts'

test('flags of their own are options like others, and nothing said is nothing', () => {
  expect(lookaheadOf({})).toBeUndefined()
  expect(lookaheadOf({ lookahead: { overlap: false }, tokens: 3, delimiters: '.' })).toEqual({
    overlap: false,
    tokens: 3,
    delimiters: '.',
  })
})

test('options stand in the request where they belong', () => {
  expect(lookaheadRequest({ overlap: true, 'steps.max_tokens': 50, 'steps.answer.half_steps': 'verify' })).toEqual({
    overlap: true,
    steps: { max_tokens: 50, answer: { half_steps: 'verify' } },
  })
})

test('a number of tokens is that of all who guess, unless more is said', () => {
  const tokens = { drafted: false, ngram: 7, draft: 7 }
  expect(lookaheadRequest({ tokens: 7 })).toEqual({ tokens })
  expect(lookaheadRequest({ 'tokens.drafted': true, tokens: 7 })).toEqual({ tokens: { ...tokens, drafted: true } })
})

test('delimiters are a list, in which a word stands for the ends of sentences', () => {
  expect(lookaheadRequest({ delimiters: String.raw`\n\n,;` })).toEqual({
    steps: { delimiters: ['\n\n', ';'], sentences: false },
  })
  expect(lookaheadRequest({ delimiters: 'sentences', 'steps.max_tokens': 9 })).toEqual({
    steps: { delimiters: [], sentences: true, max_tokens: 9 },
  })
})

test('what the protocol does not take is refused by name', () => {
  expect(refused({ tokens: 7, delimiters: '.', coupled: false })).toBeUndefined()
  expect(refused({ tokens: 17 })).toMatch(/lookahead\.tokens\.draft/)
  expect(refused({ 'steps.cap': 5 })).toMatch(/lookahead\.steps\.cap/)
})
