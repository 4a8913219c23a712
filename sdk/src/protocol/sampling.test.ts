import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { DraftRequest, MAX_SEED, RunRequest, Sampling, VerifyRequest } from './index.ts'

const context = { id: 'a', prompt: 'x' }

describe('a seed of -1 is none: the text is drawn anew, and depth may adapt', () => {
  test.each([
    ['a run', RunRequest, { prompt: 'x' }],
    ['a draft', DraftRequest, { context, depth: 1 }],
    ['a verification', VerifyRequest, { context, max_tokens: 1 }],
  ] as const)('of %s', (_, schema, request) => {
    const { sampling } = v.parse(schema, { ...request, sampling: { temperature: 1, seed: -1 } })
    expect(sampling).toEqual({ temperature: 1 })
    expect(sampling.seed).toBeUndefined()
  })
})

test.each([0, 7, -2, MAX_SEED])('%d is a seed', (seed) => {
  expect(v.parse(Sampling, { seed })).toEqual({ seed })
})

test.each([1.5, MAX_SEED + 1, '7', null])('%j is not', (seed) => {
  expect(v.safeParse(Sampling, { seed }).success).toBe(false)
})
