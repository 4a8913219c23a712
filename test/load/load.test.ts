import { expect, it } from 'vitest'
import { load } from './load.ts'

it('answers under load as it does alone, and leaves nothing behind', { timeout: 300_000 }, async () => {
  const { violations, done } = await load({ clients: 16, seconds: 6, seed: 'short', requests: 12 })
  expect(violations).toEqual([])
  expect(Object.values(done).every((count) => count > 0)).toBe(true)
})
