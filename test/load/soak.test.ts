import { expect, it } from 'vitest'
import { growthOf } from './soak.ts'

it('forgives what memory grows in its first three minutes, and a tenth after', () => {
  expect(growthOf([10, 100, 200, 200, 219])).toBeUndefined()
  expect(growthOf([10, 100, 200, 200, 221])).toBe('grew from 200 to 221 MiB')
})

it('does not take memory for flat that it cannot read', () => {
  expect(growthOf([0, 0])).toBe('does not tell its memory')
})
