/**
 * The simulator against the paper's camera-ready (NeurIPS 2025, appendices E and F; QwQ-32B, draft R1-Distill-Qwen-1.5B):
 * step acceptance, milliseconds of the verifier a step, speedup of steps alone and of steps with n-gram speculation.
 */
import { levenbergMarquardt } from 'ml-levenberg-marquardt'
import { expect, test } from 'vitest'
import { expectedWithBonus } from '../lookahead/theory/index.ts'
import { plain, simulate } from './index.ts'
import { randomFrom } from './random.ts'
import type { Text, Way, World } from './index.ts'

interface Row {
  data: 'GSM8K' | 'AIME'
  verifier: '32B' | '7B' | 'embedding'
  acceptance: number
  judge: number
  steps: number
  both: number
}
const table: Row[] = [
  { data: 'GSM8K', verifier: '32B', acceptance: 0.43, judge: 25, steps: 1.32, both: 1.67 },
  { data: 'GSM8K', verifier: '7B', acceptance: 0.5, judge: 13, steps: 1.45, both: 1.75 },
  { data: 'GSM8K', verifier: 'embedding', acceptance: 0.38, judge: 9, steps: 1.22, both: 1.53 },
  { data: 'AIME', verifier: '32B', acceptance: 0.38, judge: 25, steps: 1.12, both: 1.42 },
  { data: 'AIME', verifier: '7B', acceptance: 0.42, judge: 13, steps: 1.2, both: 1.57 },
  { data: 'AIME', verifier: 'embedding', acceptance: 0.36, judge: 9, steps: 1.1, both: 1.41 },
]

/** What is fitted: three numbers, to the six of three rows. */
interface Parts {
  /** Verification and scheduling: every further step under way in a forward, as a share of one. The texts of AIME are longer. */
  branch: Record<Row['data'], number>
  /** Chance that an n-gram guess is accepted. */
  ngram: number
}

/** Not in the table, and only the verifiers' milliseconds are measured by it: a forward, about 76 tokens/s; a step's tokens. */
const [forwardMs, stepTokens] = [13, 30]
/** Drafting a token, as a share of a target's forward: weights to read, 1.5 G on one GPU over 32 G on two. */
const draftCost = 0.1
/** As in the paper's setup (§4). */
const [depth, guesses] = [6, 8]
const count = 500

/** Steps of which exactly that share is accepted, here and there. */
const uniform = ((random) => Array.from({ length: count }, random))(randomFrom(11))
const ranks = uniform.map((value) => uniform.filter((other) => other < value).length)
const textOf = ({ acceptance }: Row, { ngram }: Parts): Text => ({
  steps: ranks.map((rank) => ({
    drafted: stepTokens,
    own: stepTokens,
    agreed: 0,
    accepted: rank < Math.round(acceptance * count),
  })),
  tokenAcceptance: () => ngram,
})

/** The speedups of steps alone and of both. The draft has n-gram guesses too. */
function predict(row: Row, parts: Parts): [steps: number, both: number] {
  const way: Way = { ...plain, kind: 'async', depth }
  const world = (draftSpeedup: number): World => ({
    target: [[1, forwardMs]],
    branch: parts.branch[row.data] * forwardMs,
    draftToken: (draftCost * forwardMs) / draftSpeedup,
    guess: 0,
    judge: row.judge,
    roundTrip: 0,
    call: 0,
  })
  const alone = count * stepTokens * forwardMs
  const text = textOf(row, parts)
  return [
    alone / simulate(text, way, world(1)).ms,
    alone / simulate(text, { ...way, guesses }, world(expectedWithBonus(parts.ngram, guesses))).ms,
  ]
}

const partsOf = ([gsm8k, aime, ngram]: number[]): Parts => ({
  branch: { GSM8K: gsm8k!, AIME: aime! },
  ngram: ngram!,
})

/** Least squares of the logarithms of all speedups of these rows. */
function fit(rows: Row[]): Parts {
  const measured = rows.flatMap(({ steps, both }) => [Math.log(steps), Math.log(both)])
  const { parameterValues } = levenbergMarquardt(
    { x: measured.map((_, i) => i), y: measured },
    (values) => {
      const predicted = rows.flatMap((row) => predict(row, partsOf(values)).map(Math.log))
      return (i) => predicted[i]!
    },
    {
      initialValues: [0.06, 0.06, 0.25],
      minValues: [0, 0, 0.01],
      maxValues: [0.5, 0.5, 0.9],
      gradientDifference: 0.01,
      maxIterations: 4,
      damping: 0.01,
    },
  )
  return partsOf(parameterValues)
}

/** How far off, at most, any speedup of these rows is. */
const worst = (rows: Row[], parts: Parts): number =>
  Math.max(
    ...rows.flatMap((row) => {
      const [steps, both] = predict(row, parts)
      return [Math.abs(steps / row.steps - 1), Math.abs(both / row.both - 1)]
    }),
  )

/** All ways to take three rows, of both data sets. */
const splits = table
  .flatMap((a, i) => table.slice(i + 1).flatMap((b, j) => table.slice(i + j + 2).map((c) => [a, b, c])))
  .filter((rows) => new Set(rows.map(({ data }) => data)).size === 2)
const results = splits.map((rows) => {
  const parts = fit(rows)
  return {
    rows,
    parts,
    error: worst(
      table.filter((row) => !rows.includes(row)),
      parts,
    ),
  }
})
const within = (share: number) => results.filter(({ error }) => error <= share).length

test('fitted on both judges on GSM8K and any row of AIME, it predicts the other three within 5 %', () => {
  const ofJudges = results.filter(
    ({ rows }) => rows.filter(({ data, verifier }) => data === 'GSM8K' && verifier !== 'embedding').length === 2,
  )
  expect(ofJudges).toHaveLength(3)
  for (const { error } of ofJudges) expect(error).toBeLessThan(0.05)
})

test('of all 18 ways to take three rows at least 4 predict within 5 %, 11 within 6 %, all within 9.5 %', () => {
  expect(results).toHaveLength(18)
  expect(within(0.05)).toBeGreaterThanOrEqual(4)
  expect(within(0.06)).toBeGreaterThanOrEqual(11)
  expect(within(0.095)).toBe(18)
})

test('three numbers for all twelve figures leave 4.1 %: less would be to fit the noise', () => {
  expect(worst(table, fit(table))).toBeCloseTo(0.041, 2)
})
