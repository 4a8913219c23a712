import { expect, test } from 'vitest'
import { failedRun, ruled, runOf } from './runs/fixtures.ts'
import { wilson } from './statistics.ts'
import { summarizeModes } from './summary.ts'

// Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (Wilson without continuity correction).
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('%i of %i lies between the published bounds', (right, of, low, high) => {
  expect(wilson(right, of)[0]).toBeCloseTo(low, 4)
  expect(wilson(right, of)[1]).toBeCloseTo(high, 4)
})

test('speedup is the median ratio on the same problem, whatever the order', () => {
  const plain = ['a', 'b', 'c'].map((problem) => runOf({ problem, ms: 1000 }))
  const faster = [
    ['c', 250],
    ['a', 500],
    ['b', 1000],
  ] as const
  const runs = [
    ...plain,
    ...faster.map(([problem, ms]) => runOf({ problem, ms, mode: 'sd', text: problem === 'a' ? 'text' : 'other' })),
  ]
  expect(summarizeModes(runs, ['ar', 'sd']).sd).toMatchObject({
    speedup: 2,
    speedupQuartiles: [1.5, 3],
    speedupOfTotalTime: 3000 / 1750,
    tokensPerSecond: 300 / 1.75,
    accuracy: 1,
    equal: 1,
  })
})

test('a failed run is a wrong answer, and no more', () => {
  const runs = [
    runOf(),
    failedRun({ problem: 'b' }),
    runOf({ mode: 'sd', ms: 500 }),
    runOf({ mode: 'sd', ms: 1, problem: 'b' }),
  ]
  const { ar, sd } = summarizeModes(runs, ['ar', 'sd'])
  expect(ar).toMatchObject({ runs: 2, failed: 1, accuracy: 0.5, tokensPerSecond: 100, equal: 1 })
  // There is nothing to compare the second with.
  expect(sd).toMatchObject({ runs: 2, failed: 0, accuracy: 1, speedup: 2 })
})

test('parts count by themselves', () => {
  const runs = [runOf({ right: 5, of: 7 }), runOf({ problem: 'b', right: 1, of: 3 })]
  expect(summarizeModes(runs, ['ar']).ar!.accuracy).toBe(0.6)
})

test('steps after a rejected one were drafted, and not ruled on', () => {
  const stats = { drafted_steps: 8, accepted_steps: 2 }
  const { lr } = summarizeModes([runOf({ mode: 'lr', stats, timeline: ruled('aar', 8) })], ['lr'])
  expect(lr).toMatchObject({ acceptRate: 0.25, stepAcceptance: 2 / 3, speedup: null })
  expect(summarizeModes([runOf()], ['ar']).ar).toMatchObject({ acceptRate: null, stepAcceptance: null })
})

test('what runs side by side counts once for the throughput', () => {
  const at = (problem: string, second: number) =>
    runOf({ problem, started: `2026-11-28T00:00:0${second}.000Z`, ms: 2000 })
  // From 0 to 3, and from 5 to 7.
  expect(summarizeModes([at('b', 1), at('a', 0), at('c', 5)], ['ar']).ar).toMatchObject({
    tokensPerSecond: 50,
    throughput: 60,
  })
})
