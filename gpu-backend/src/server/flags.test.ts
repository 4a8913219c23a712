import { expect, test } from 'vitest'
import { readFlags } from './flags.ts'

test('--weights is fp32 unless a flag or a variable says otherwise, and the flag wins', () => {
  expect(readFlags([], {})).toMatchObject({ weights: 'fp32' })
  expect(readFlags([], { LOOKAHEAD_WEIGHTS: 'int4' })).toMatchObject({ weights: 'int4' })
  expect(readFlags(['--weights', 'int8'], { LOOKAHEAD_WEIGHTS: 'int4' })).toMatchObject({ weights: 'int8' })
  expect(() => readFlags(['--weights', 'fp8'], {})).toThrow('--weights must be one of fp32, int8, int4, not "fp8"')
})
