import { expect, test } from 'vitest'
import { keyRegion, slotsEnd } from './region.ts'
import { causalRow } from './row.ts'

const slots = 2048
const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)
const tokens = (count: number) => Array<number>(count).fill(0)

test('a region has the keys and the slots that are written, in whole blocks within the pool', () => {
  expect(keyRegion([causalRow([0], [140], range(100, 40))], slots)).toEqual({
    from: 96,
    count: 64,
    stretches: [{ index: 0, slot: 100, length: 41 }],
  })
  expect(keyRegion([causalRow([0], [2047], range(2000, 47))], slots)).toMatchObject({ from: 1984, count: 64 })
  // The last block begins earlier where the pool ends amid it; there must be room for whole blocks.
  expect(keyRegion([causalRow([0], [1040], range(1000, 40))], 1041)).toMatchObject({ from: 977, count: 64 })
  expect(keyRegion([causalRow([0], [40], range(0, 40))], 41)).toBeUndefined()
})

test('keys that do not follow one another make several stretches', () => {
  const region = keyRegion([causalRow([0], [9], [5, 6, 7, 2, 3, 30])], slots)
  expect(region?.stretches).toEqual([
    { index: 0, slot: 5, length: 3 },
    { index: 3, slot: 2, length: 2 },
    { index: 5, slot: 30, length: 1 },
    { index: 6, slot: 9, length: 1 },
  ])
})

test('the more queries, the fewer slots of others are worth reading', () => {
  const spread = (factor: number, count: number) =>
    keyRegion(
      [
        causalRow(
          tokens(count),
          range(0, count),
          range(0, 1000).map((i) => Math.floor(100 + factor * i)),
        ),
      ],
      slots,
    )
  expect(spread(1.5, 1)).toBeDefined()
  expect(spread(1.9, 1)).toBeUndefined()
  expect(spread(1.5, 64)).toBeUndefined()
  expect(spread(1, 64)).toBeDefined()
})

test('of several rows every one has its keys collected', () => {
  const rows = [causalRow([0], [10], range(0, 10)), causalRow([0], [1030], range(20, 10))]
  expect(keyRegion(rows, slots)).toBeUndefined()
  expect(slotsEnd(rows, undefined)).toBe(1031)
})
