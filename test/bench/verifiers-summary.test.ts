import { expect, test } from 'vitest'
import { byCategory, confusion, curve } from './verifiers-summary.ts'

const pair = (same: boolean, category = 'any') => ({ same, category, words: 'known' as const })
const verdicts = (same: boolean, accepted: boolean, count: number, category?: string) =>
  Array.from({ length: count }, () => ({ pair: pair(same, category), accepted, reason: 'judge' }))

test('precision is of what is accepted, recall of what means the same', () => {
  const all = [
    ...verdicts(true, true, 6),
    ...verdicts(true, false, 2),
    ...verdicts(false, true, 3),
    ...verdicts(false, false, 9),
  ]
  expect(confusion(all)).toEqual({
    accepted: 6,
    rejected: 2,
    falselyAccepted: 3,
    rightlyRejected: 9,
    precision: 6 / 9,
    recall: 6 / 8,
  })
  expect(confusion(verdicts(false, false, 2))).toMatchObject({ precision: null, recall: null })
})

test('categories are counted apart', () => {
  const all = [...verdicts(true, true, 2, 'a'), ...verdicts(false, true, 1, 'b'), ...verdicts(false, false, 3, 'b')]
  expect(Object.fromEntries(byCategory(all))).toEqual({
    a: { same: true, pairs: 2, accepted: 2 },
    b: { same: false, pairs: 4, accepted: 1 },
  })
})

test('a threshold accepts what is as likely or more', () => {
  const scored = [-1, -3, -5, -7].flatMap((least, i) => [{ pair: pair(i % 2 === 0), least, typical: -least }])
  expect(curve(scored, 'typical', [5])).toEqual([{ threshold: 5, same: 0.5, other: 0.5 }])
  expect(curve(scored, 'least', [-3, -6])).toEqual([
    { threshold: -3, same: 0.5, other: 0.5 },
    { threshold: -6, same: 1, other: 0.5 },
  ])
})
