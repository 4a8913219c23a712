import * as v from 'valibot'
import { expect, test } from 'vitest'
import { dictionary } from './dictionary.ts'

const members = [...Object.getOwnPropertyNames(Object.prototype), 'prototype']

test('every word may be a key, those of Object.prototype too', () => {
  const text = `{${members.map((word, i) => `${JSON.stringify(word)}: ${i}`).join()}}`
  const parsed = v.parse(dictionary(v.number()), JSON.parse(text))
  expect([...parsed]).toEqual(members.map((word, i) => [word, i]))
  for (const word of members) expect(v.parse(dictionary(v.number()), {}).has(word)).toBe(false)
})

test.each([
  [null, 'must be an object'],
  [[1], 'must be an object'],
  [{ a: 1, constructor: 'x' }, 'Expected number'],
])('refuses %j', (given, reason) => {
  const { issues } = v.safeParse(dictionary(v.number()), given)
  expect(issues?.[0].message).toContain(reason)
})

test('names the key that is wrong', () => {
  const bias = v.object({ logit_bias: dictionary(v.number(), v.pipe(v.string(), v.digits())) })
  const { issues } = v.safeParse(bias, { logit_bias: { 7: 1, constructor: 1 } })
  expect(v.getDotPath(issues![0])).toBe('logit_bias.constructor')
})
