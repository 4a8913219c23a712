import { expect, test } from 'vitest'
import { summarize, table } from './likelihood-summary.ts'

const trial = (correct: boolean, accepted = 0, rejected = 0) => ({ correct, underived: false, accepted, rejected })

test('runs are held against those of plain decoding, problem by problem', () => {
  const plain = [true, true, true, true, false, false, true, true, true, true].map((correct) => trial(correct))
  const own = [false, true, true, true, true, false, false, true, true, true].map((correct) => trial(correct, 3, 1))
  const found = summarize(own, plain)
  expect(found).toMatchObject({ runs: 10, accuracy: 0.7, lost: 2, won: 1, acceptRate: 0.75, underived: 0 })
  // Ten outcomes, two of −1 and one of +1: their mean is −0.1, their variance 0.29.
  expect(found.difference).toBeCloseTo(-0.1, 12)
  expect(found.margin).toBeCloseTo(1.959964 * Math.sqrt(0.29 / 10), 12)
  expect(summarize(plain, plain)).toMatchObject({ lost: 0, won: 0, difference: 0, margin: 0, acceptRate: null })
  expect(table([{ threshold: 0.25, ...found }])).toContain(
    '| 0.25 | 70.0 % (39.7 – 89.2) | -10.00 ± 33.38 | 2, 1 | 75.0 % | 0.0 % |',
  )
})
