import { expect, test } from 'vitest'
import { lookup } from '../speculation/proposers/ngram.ts'
import { SlotPool } from './slot-pool.ts'

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

test('a text has neighbouring slots, in their order, as far as they were given back so', () => {
  const pool = new SlotPool(10)
  const first = pool.take(6)!
  expect(first).toEqual([0, 1, 2, 3, 4, 5])
  pool.cache(first.slice(0, 3))
  pool.give(first)
  pool.uncache(first.slice(0, 3))
  expect([...pool.take(2)!, ...pool.take(4)!]).toEqual([0, 1, 2, 3, 4, 5])
})

test('a shared slot is free after its last user, a cached one when the cache lets go', () => {
  const pool = new SlotPool(4)
  const [a, b] = [pool.take(2)!, pool.take(1)!]
  pool.share(a)
  pool.cache(b)
  pool.check([a, a, b], b)
  pool.give([...a, ...b])
  expect([pool.free, pool.available]).toEqual([1, 2])
  pool.give(a)
  pool.uncache(b)
  pool.check([], [])
  expect(() => pool.share(a)).toThrow('free')
})

test('check finds what was lost and what is in use unnoticed', () => {
  const pool = new SlotPool(4)
  const lost = pool.take(1)!
  expect(() => pool.check([], [])).toThrow(`slot ${lost[0]}`)
  pool.give(lost)
  expect(() => pool.check([lost], [])).toThrow(`slot ${lost[0]}`)
  expect(() => pool.check([], lost)).toThrow(`slot ${lost[0]}`)
})
