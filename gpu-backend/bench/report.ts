import type { Comparison } from './comparison.ts'
import { profiledSizes } from './profile.ts'
import type { OperatorRow, ProfileRow } from './profile.ts'
import type { Case, Results } from './results.ts'
import type { Spread } from './statistics.ts'

/** Rows of a profile that are worth a line. */
const profileRows = 10

const goals = { share: 70, packed: { fp32: 1.6, int8: 2.5 } }

/** Medians, with quartiles in brackets. */
export function print({
  options,
  comparison,
  forwards,
  arithmetic = NaN,
  bandwidth,
  throughput,
  profile,
}: Results): void {
  console.log(`${options.threads} threads; medians (quartiles)`)
  for (const { variants, ...of } of comparison) {
    heading('Plain decoding, temperature 0', of)
    table(['', 'tokens/s', 'relative', 'same tokens'], variants.map(comparisonRow))
  }
  if (forwards.length > 0)
    console.log(`\nThe machine multiplies at ${(arithmetic / 1e9).toFixed(0)} GFLOP/s in float32`)
  for (const { operations, costs, ...of } of forwards) {
    heading(`Packed forwards after 300 tokens (goal: 16 tokens ≤ ${goals.packed[of.precision]}×)`, of)
    const rows = costs.map(({ tokens, ms, relative }) => [
      counted(tokens, 'token'),
      `${shown(ms, 2)} ms`,
      times(relative),
      percent((1000 * tokens * operations) / ms.median / arithmetic),
    ])
    table(['', 'forward', 'relative', 'of the arithmetic'], rows)
  }
  if (bandwidth) {
    console.log(
      `\nWeights read by forwards of one token, against memory's ${gigabytes(bandwidth.read)}/s (goal: ${goals.share} % for wide)`,
    )
    const rows = bandwidth.decoding.map(({ model, precision, weightBytes, share }) => [
      `${model} ${precision}`,
      gigabytes(weightBytes),
      percent(share),
    ])
    table(['', 'weights', 'share'], rows)
  }
  for (const { waves, ...of } of throughput) {
    heading('Concurrent requests', of)
    const rows = waves.map(({ requests, tokensPerSecond: { turns, together, speculated }, relative, speedup }) => [
      counted(requests, 'request'),
      shown(turns, 0),
      shown(together, 0),
      times(relative),
      shown(speculated, 0),
      times(speedup),
    ])
    table(['', 'taking turns, tokens/s', 'at once', 'relative', 'with speculation', 'speedup'], rows)
  }
  for (const { operators, script, ...of } of profile) {
    heading('Forwards after 300 tokens, by operator', of)
    operatorTable(operators)
    if (!script) continue
    heading(`JavaScript by self time; ${script.outsideForwards.toFixed(0)} µs a token outside forwards`, of)
    profileTable(script.functions)
  }
}

function comparisonRow(variant: Comparison): string[] {
  if ('unavailable' in variant) return [variant.name, `not measured: ${variant.unavailable}`]
  const { name, tokensPerSecond, relative, equal, prompts } = variant
  return [name, shown(tokensPerSecond, 0), times(relative.median), `${equal} of ${prompts}`]
}

function profileTable(rows: readonly ProfileRow[]): void {
  const cells = rows
    .slice(0, profileRows)
    .map(({ name, microseconds, share }) => [name, `${microseconds.toFixed(0)} µs`, percent(share)])
  table(['', 'a token', 'share'], cells)
}

function operatorTable(rows: readonly OperatorRow[]): void {
  const cells = rows.map(({ name, parts }) => [
    name,
    ...parts.flatMap(({ microseconds, share }) => [`${microseconds.toFixed(0)} µs`, tenths(share)]),
  ])
  table(['', ...profiledSizes.flatMap((tokens) => [counted(tokens, 'token'), 'share'])], cells)
}

function heading(title: string, { model, precision }: Case): void {
  console.log(`\n${title}: ${model} model, ${precision}`)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const [name = '', ...cells] of [head, ...rows])
    console.log(`  ${name.padEnd(36)}${cells.map((cell) => cell.padStart(24)).join('')}`)
}

const shown = ({ median, low, high }: Spread, digits: number) =>
  `${median.toFixed(digits)} (${low.toFixed(digits)} – ${high.toFixed(digits)})`
const times = (value: number) => `${value.toFixed(2)}×`
const counted = (n: number, name: string) => `${n} ${name}${n > 1 ? 's' : ''}`
const tenths = (value: number) => `${(100 * value).toFixed(1)} %`
const percent = (value: number) => `${(100 * value).toFixed(0)} %`
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 3 : 1)} GB`
