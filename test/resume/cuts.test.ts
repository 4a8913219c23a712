import { expect, inject, it } from 'vitest'
import { cuts } from './cuts.ts'

it('a stored run is read whole over connections that are cut wherever it hurts', async () => {
  const report = await cuts({ workerURL: inject('workerURL'), count: 60, seed: 7, clients: 6, problems: 1 })
  expect(report.violations).toEqual([])
  expect(report.cuts).toBeGreaterThanOrEqual(60)
})
