import { expect, test } from 'vitest'
import { PrefixCache } from './prefix-cache.ts'
import { SlotPool } from './slot-pool.ts'

/** A token for each letter. */
const tokensOf = (text: string): number[] => Array.from(text, (letter) => letter.codePointAt(0)!)

function setUp(size: number, fewest = 1) {
  const pool = new SlotPool(size)
  const cache = new PrefixCache(pool, fewest)
  /** What a call does: takes what is there, runs the rest, enters all. @returns the text's slots, still in use */
  const use = (text: string): number[] => {
    const tokens = tokensOf(text)
    const known = cache.match(tokens)
    const missing = tokens.length - known.length
    if (missing > pool.free) cache.evict(missing - pool.free)
    return cache.insert(tokens, [...known, ...pool.take(missing)!])
  }
  const done = (...texts: number[][]): void => {
    for (const slots of texts) pool.give(slots)
    pool.check([], cache.slots())
  }
  const known = (text: string): number => {
    const slots = cache.match(tokensOf(text))
    pool.give(slots)
    return slots.length
  }
  return { pool, cache, use, done, known }
}

test('texts with the same beginning have the same slots there', () => {
  const { pool, cache, use, done } = setUp(20)
  const a = use('abcdef')
  const b = use('abcxyz')
  const c = use('abcdefgh')
  expect(b.slice(0, 3)).toEqual(a.slice(0, 3))
  expect(c.slice(0, 6)).toEqual(a)
  expect(pool.free).toBe(20 - 6 - 3 - 2)
  pool.check([a, b, c], cache.slots())
  done(a, b, c)
  expect(pool.available).toBe(20)
})

test('texts that share only a few tokens share no slots, and short ones are not kept', () => {
  const { pool, cache, use, done, known } = setUp(40, 4)
  const a = use('abcdef')
  const b = use('abcxyz')
  const c = use('abcdxy')
  const short = use('abc')
  expect(new Set([...a, ...b, ...short]).size).toBe(15)
  expect(c.slice(0, 4)).toEqual(a.slice(0, 4))
  // A short text that grows is kept from then on.
  const grown = cache.insert(
    Array.from('abcuuu', (letter) => letter.codePointAt(0)!),
    [...short, ...pool.take(3)!],
  )
  expect(grown.slice(0, 3)).toEqual(short)
  pool.check([a, b, c, grown], cache.slots())
  done(a, b, c, grown)
  expect([known('abcdxy'), known('abcuuu'), known('abcx'), known('abc')]).toEqual([6, 6, 4, 0])
  cache.evict(Infinity)
  expect([pool.free, known('abcdef')]).toEqual([40, 0])
})

test('a text that stands in the slots of another, and shares too little with it to be found there, is not kept', () => {
  const { pool, cache, use, done, known } = setUp(20, 4)
  const a = use('abcdef')
  // A branch that left the other text after two tokens, in the same slots up to there.
  const shared = a.slice(0, 2)
  pool.share(shared)
  const branch = [...shared, ...pool.take(4)!]
  expect(cache.insert(tokensOf('abuvwx'), branch)).toEqual(branch)
  pool.check([a, branch], cache.slots())
  done(a, branch)
  expect([known('abcdef'), known('abuvwx')]).toEqual([6, 0])
})

test('what two calls ran at the same time is kept once', () => {
  const { pool, cache, done } = setUp(10)
  const [a, b] = [pool.take(3)!, pool.take(3)!]
  expect(cache.insert([1, 2, 3], a)).toEqual(a)
  expect(cache.insert([1, 2, 3], b)).toEqual(a)
  expect(pool.free).toBe(7)
  done(a, a)
})

test('the least recently used go first, from their end, and never what is in use', () => {
  const { pool, cache, use, done, known } = setUp(12)
  done(use('aaaa'), use('bbbb'), use('aacc'))
  expect(pool.free).toBe(2)
  const held = use('bb')
  cache.evict(2)
  expect([known('aaaa'), known('aacc'), known('bbbb')]).toEqual([2, 4, 4])
  cache.evict(Infinity)
  expect([known('aaaa'), known('bbbb')]).toEqual([0, 2])
  expect(cache.evictions).toBe(8)
  done(held)
})

test('of what is here, it is known how much others use now', () => {
  const { pool, cache, use, done } = setUp(20)
  const held = use('abcdef')
  const lookUp = (text: string) => cache.lookUp(tokensOf(text))
  pool.give(use('abcxyz'))
  expect(lookUp('abcdefgh')).toEqual({ cached: 6, used: 6 })
  expect(lookUp('abcxyz')).toEqual({ cached: 6, used: 3 })
  done(held)
  expect(lookUp('abcdefgh')).toEqual({ cached: 6, used: 0 })
})

test('of a long text no more goes than is wanted', () => {
  const { cache, use, done, known } = setUp(12)
  done(use('abcdefgh'))
  cache.evict(2)
  expect([known('abcdefgh'), cache.evictions]).toEqual([6, 2])
  cache.evict(7)
  expect([known('abcdefgh'), cache.evictions]).toEqual([0, 8])
})
