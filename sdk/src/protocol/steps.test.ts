import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { DraftRequest, RunRequest, StepRules, VerifyRequest, longestStep, parseRequest, rulesIn } from './index.ts'

const context = { id: 'a', prompt: 'x' }
const said = { delimiters: ['\n\n'], sentences: false, max_tokens: 100, half_steps: 'reject' } as const

test('a step ends with a blank line or after 100 tokens, unless something else is said', () => {
  expect(parseRequest(DraftRequest, { context, depth: 1 }).step_rules).toEqual(said)
  expect(parseRequest(VerifyRequest, { context, max_tokens: 1 }).step_rules).toEqual(said)
  expect(parseRequest(RunRequest, { prompt: 'x', lookahead: { steps: {} } }).lookahead.steps).toEqual(said)
  expect(parseRequest(RunRequest, { prompt: 'x' }).lookahead.steps).toBeUndefined()
})

test('what is said of one part of a text goes before what is said of both', () => {
  const rules = parseRequest(StepRules, { max_tokens: 50, reasoning: { sentences: true }, answer: { max_tokens: 200 } })
  expect(rulesIn(rules, 'reasoning')).toEqual({ ...said, max_tokens: 50, sentences: true })
  expect(rulesIn(rules, 'answer')).toEqual({ ...said, max_tokens: 200 })
  expect(longestStep(rules)).toBe(200)
})

describe('refused, by name', () => {
  test.each<[string, object]>([
    ['delimiters', { delimiters: Array.from({ length: 17 }, (_, i) => `${i}`) }],
    ['delimiters.0', { delimiters: [''] }],
    ['delimiters.0', { delimiters: ['x'.repeat(65)] }],
    ['sentences', { sentences: 'yes' }],
    ['max_tokens', { max_tokens: 0 }],
    ['max_tokens', { max_tokens: 1001 }],
    ['half_steps', { half_steps: 'accept' }],
    ['delimiter', { delimiter: '\n' }],
    ['answer.max_tokens', { answer: { max_tokens: 0 } }],
    ['answer.reasoning', { answer: { reasoning: {} } }],
  ])('%s', (param, steps) => {
    expect(() => parseRequest(RunRequest, { prompt: 'x', lookahead: { steps } })).toThrow(
      expect.objectContaining({ status: 400, param: `lookahead.steps.${param}` }),
    )
  })

  test.each<[string, object]>([
    ['ngram', { ngram: 33 }],
    ['draft', { draft: 17 }],
    ['draft', { draft: 1.5 }],
    ['drafted', { drafted: 1 }],
    ['judge', { judge: 1 }],
  ])('tokens of %s', (param, tokens) => {
    expect(() => parseRequest(RunRequest, { prompt: 'x', lookahead: { tokens } })).toThrow(
      expect.objectContaining({ status: 400, param: `lookahead.tokens.${param}` }),
    )
  })
})

test('how many tokens are guessed is said in part, or not at all', () => {
  const tokens = (lookahead: object) => parseRequest(RunRequest, { prompt: 'x', lookahead }).lookahead.tokens
  expect([tokens({}), tokens({ tokens: { ngram: 32 } })]).toEqual([{}, { ngram: 32 }])
  expect(v.parse(VerifyRequest, { context, max_tokens: 1 }).speculation).toEqual({ drafted: true, ngram: 8, draft: 16 })
})
