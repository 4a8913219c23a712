import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { DraftRequest, MAX_SEED, RunRequest, Sampling, VerifyRequest, parseRequest } from './index.ts'
import type { RunRequestInput } from './index.ts'

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

describe('what clients of other APIs are used to say', () => {
  const ask = (more: object) => parseRequest(RunRequest, { messages: [{ role: 'user', content: 'x' }], ...more })

  test('is understood: developer, parts of text, a single stop', () => {
    const parts = ['a', 'b'].map((text) => ({ type: 'text', text }))
    expect(ask({ messages: [{ role: 'developer', content: parts }] }).messages).toEqual([
      { role: 'system', content: 'ab' },
    ])
    expect([ask({ stop: 'END' }).stop, ask({ stop: ['a', 'b'] }).stop, ask({}).stop]).toEqual([['END'], ['a', 'b'], []])
  })

  test.each([
    ['messages.0.content', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: 'x' }] }] }],
    ['messages.0.role', { messages: [{ role: 'tool', content: 'x' }] }],
    ['stop', { stop: 7 }],
    ['stop', { stop: ['a', 'b', 'c', 'd', 'e'] }],
    ['stop', { stop: 'a'.repeat(1025) }],
    ['stop', { stop: ['a', 'b'.repeat(1025)] }],
  ])('is refused by name where it is something else: %s', (param, more) => {
    expect(() => ask(more)).toThrow(expect.objectContaining({ param: expect.stringContaining(param), status: 400 }))
  })

  test('has messages or a prompt, as its type says too', () => {
    const one: RunRequestInput[] = [{ prompt: 'x' }, { messages: [{ role: 'developer', content: 'x' }], stop: 'END' }]
    for (const request of one) expect(() => parseRequest(RunRequest, request)).not.toThrow()
    // @ts-expect-error: neither
    const none: RunRequestInput = {}
    // @ts-expect-error: both
    const both: RunRequestInput = { prompt: 'x', messages: [{ role: 'user', content: 'x' }] }
    for (const request of [none, both]) expect(() => parseRequest(RunRequest, request)).toThrow('exactly one')
  })
})
