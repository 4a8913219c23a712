import { expect, test } from 'vitest'
import { lookup } from './ngram.ts'
import { SlotPool } from './slots.ts'

test('slots are handed out once, come back once, and never leak', () => {
  const pool = new SlotPool(10)
  const a = pool.take(4)!
  const b = pool.take(6)!
  expect(new Set([...a, ...b]).size).toBe(10)
  expect(pool.take(1)).toBeUndefined()
  pool.give(a)
  expect(pool.free).toBe(4)
  expect(() => pool.give(a)).toThrow('twice')
  pool.give(b)
  expect(pool.free).toBe(10)
})

test('lookup copies what followed the longest earlier match', () => {
  const text = [1, 2, 3, 9, 8, 7, 5, 2, 3, 4, 6, 1, 2, 3]
  expect(lookup(text, text, 8)).toEqual([9, 8, 7, 5])
  expect(lookup(text, [0, 2, 3], 8)).toEqual([4, 6])
  expect(lookup(text, [0, 0, 42], 4)).toEqual([])
  expect(lookup([5, 6, 7, 8], [1, 6], 8, { shortest: 1 })).toEqual([7, 8])
})
