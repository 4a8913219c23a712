import path from 'node:path'
import { expect, test } from 'vitest'
import { operatorTimes, profiledSizes } from './profile.ts'

test("the operators' shares of a forward add up to 100 %", async () => {
  const folder = path.join(import.meta.dirname, '../models/draft')
  const rows = await operatorTimes({ folder, weights: 'int8', threads: 1, rounds: 2 })
  const names = rows.map(({ name }) => name)
  expect(names.slice(-2)).toEqual(['other', 'outside operators'])
  expect(new Set(names).size).toBe(names.length)
  for (const [i] of profiledSizes.entries()) {
    const shares = rows.map(({ parts }) => parts[i]!.share)
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0)
    for (const name of ['MatMulNBits', 'outside operators'])
      expect(shares[names.indexOf(name)], name).toBeGreaterThan(0)
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(1)
  }
})
