import type { Measured } from './verifiers-pairs.ts'
import type { RunSummary } from './verifiers-runs.ts'
import { byCategory, confusion, curve } from './verifiers-summary.ts'
import type { CurvePoint, Scored, Verdict } from './verifiers-summary.ts'

const LOGPROBS = [-1, -1.5, -2, -2.5, -3, -4, -5, -6, -8, -10, -12]
const TYPICALITIES = [0.8, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.1, 0.05]

/** What was measured, by the verifiers' names. */
export interface Results {
  measured: ReadonlyMap<string, Measured>
  /** What the target thinks of each pair's drafted step. */
  scored: readonly Scored[]
  runs: ReadonlyMap<string, RunSummary>
}

const parts = (verdicts: readonly Verdict[]) => ({
  all: confusion(verdicts),
  known: confusion(verdicts.filter(({ pair }) => pair.words === 'known')),
  foreign: confusion(verdicts.filter(({ pair }) => pair.words === 'foreign')),
})

/** As JSON. */
export function results({ measured, scored, runs }: Results): object {
  const verifiers = [...measured].map(([name, { verdicts, asked, msPerStep }]) => [
    name,
    { ...parts(verdicts), categories: Object.fromEntries(byCategory(verdicts)), asked, msPerStep },
  ])
  return {
    pairs: scored.length,
    verifiers: Object.fromEntries(verifiers) as object,
    gate: curve(scored, 'least', LOGPROBS),
    likelihood: curve(scored, 'typical', TYPICALITIES),
    runs: Object.fromEntries(runs),
  }
}

/** As Markdown. */
export function report({ measured, scored, runs }: Results): string {
  const sections = [
    overview(measured),
    categories(measured),
    accepts('least log-probability of a token', curve(scored, 'least', LOGPROBS)),
    accepts('typicality of the least typical token', curve(scored, 'typical', TYPICALITIES)),
  ]
  return [...sections, ...(runs.size > 0 ? [ofRuns(runs)] : [])].join('\n\n')
}

function overview(measured: ReadonlyMap<string, Measured>): string {
  const rows = [...measured].map(([name, { verdicts, asked, msPerStep }]) => {
    const { all, known, foreign } = parts(verdicts)
    const same = `${all.accepted} of ${all.accepted + all.rejected}`
    const other = `${all.falselyAccepted} of ${all.falselyAccepted + all.rightlyRejected}`
    const pair = (of: 'precision' | 'recall') =>
      `${decimals(all[of])} (${decimals(known[of])}, ${decimals(foreign[of])})`
    const share = percent(asked / verdicts.length)
    return [name, same, other, pair('precision'), pair('recall'), share, msPerStep.toFixed(2)]
  })
  const head = [
    'verifier',
    'same: accepted',
    'other: accepted',
    'precision (known, foreign words)',
    'recall',
    'asked',
    'ms a step',
  ]
  return table([head, ...rows])
}

function categories(measured: ReadonlyMap<string, Measured>): string {
  const columns = [...measured].map(([, { verdicts }]) => byCategory(verdicts))
  const rows = [...(columns[0] ?? [])].map(([category, { same, pairs }]) => [
    `${same ? 'same' : 'other'}: ${category}`,
    String(pairs),
    ...columns.map((column) => String(column.get(category)!.accepted)),
  ])
  return table([['accepted', 'pairs', ...measured.keys()], ...rows.toSorted(([a], [b]) => b!.localeCompare(a!))])
}

function accepts(threshold: string, points: readonly CurvePoint[]): string {
  const rows = points.map(({ threshold: value, same, other }) => [
    String(value),
    percent(same),
    percent(other),
    same + other > 0 ? percent(same / (same + other)) : '–',
  ])
  return table([[threshold, 'same: accepted', 'other: accepted', 'precision'], ...rows])
}

function ofRuns(runs: ReadonlyMap<string, RunSummary>): string {
  const rows = [...runs].map(([name, { accuracy, acceptRate, underived, tokensPerSecond }]) => [
    name,
    percent(accuracy),
    acceptRate === null ? '–' : percent(acceptRate),
    String(underived),
    tokensPerSecond.toFixed(0),
  ])
  return table([['runs with', 'accuracy', 'steps accepted', 'runs with an underived term', 'tokens/s'], ...rows])
}

const table = ([head = [], ...rows]: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
const decimals = (value: number | null): string => (value === null ? '–' : value.toFixed(3))
