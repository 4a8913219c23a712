import { expect, it } from 'vitest'
import { faultMachine } from './machine.ts'

it('no fault costs a run a word, says one twice, holds it for ever, or keeps a slot', async () => {
  const options = { count: 200, seed: 1, clients: 12, rtt: 60, processes: 4, problems: 2 }
  const { violations, completed, faults } = await faultMachine(options)
  expect(violations).toEqual([])
  expect(completed).toBeGreaterThan(50)
  expect(Object.values(faults).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(options.count)
})
