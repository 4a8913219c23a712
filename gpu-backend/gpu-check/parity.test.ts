import { expect, test } from 'vitest'
import { compare } from './parity.ts'

const expected = Float32Array.of(1, 2, 3, 6, 5, 4)

test('the greatest difference counts, and how many of the likeliest tokens are the same', () => {
  expect(compare(Float32Array.of(1, 2, 3, 6, 5, 4), expected, 3)).toEqual({ difference: 0, equal: 2, places: 2 })
  expect(compare(Float32Array.of(1, 4, 3, 6, 5, 3), expected, 3)).toEqual({ difference: 2, equal: 1, places: 2 })
})

test.each([0, 2, 5])('a number that is none is never taken for equal: at %d', (at) => {
  const own = expected.with(at, NaN)
  expect(compare(own, expected, 3).difference).toBeNaN()
})
