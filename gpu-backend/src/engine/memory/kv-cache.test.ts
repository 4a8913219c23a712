import { expect, test } from 'vitest'
import { KVCache } from './kv-cache.ts'

const tokens = (length: number, first = 0) => Array.from({ length }, (_, i) => first + i)

test('another sequence is waited for where it saves much, and half of what it still runs', () => {
  const kv = new KVCache(1000)
  const other = tokens(100)
  kv.prefilling.set(other, '')
  const waitsFor = (common: number, { cached = 0, salt = '' } = {}) =>
    kv.prefillWorthWaiting([...tokens(common), ...tokens(50, 500)], cached, salt) === other
  expect([waitsFor(60), waitsFor(40), waitsFor(60, { salt: 'of another' })]).toEqual([true, false, false])
  // Nearly all of it is there already: what is left to save is not worth the wait.
  expect([waitsFor(100, { cached: 80 }), waitsFor(100, { cached: 60 })]).toEqual([false, true])
})
