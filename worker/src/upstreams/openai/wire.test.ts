import * as v from 'valibot'
import { expect, test } from 'vitest'
import { Rated } from './wire.ts'

test('any text may be a likely token, also one that objects know', () => {
  const top = '{"constructor": -0.1, "__proto__": -0.2, "7": null}'
  const rated = v.parse(Rated, JSON.parse(`{"choices": [{"logprobs": {"top_logprobs": [${top}]}}]}`))
  const told = rated.choices[0]!.candidates.toSorted((a, b) => b.logprob - a.logprob)
  expect(told).toEqual([
    { token: 'constructor', logprob: -0.1 },
    { token: '__proto__', logprob: -0.2 },
    { token: '7', logprob: -Infinity },
  ])
})
