/** A report as Markdown. */
import { summarize } from '../summary.ts'
import type { ModeSummary } from '../summary.ts'
import { isFailed } from '../runs/run.ts'
import type { Run } from '../runs/run.ts'
import { phasesOf } from './phases.ts'
import { split } from './settings.ts'
import type { Setting, Value } from './settings.ts'
import type { Prediction } from './theory.ts'

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

export const figureLine = (file: string, alt: string, caption: string): string =>
  `![${alt}](${file})\n${caption === '' ? '' : `\n${caption}\n`}`

export const described = (conditions: Record<string, Value | undefined>): string =>
  Object.entries(conditions)
    .filter(([, value]) => value !== undefined)
    .map(([option, value]) => `${option} ${value}`)
    .join(', ')

/** Where and when, and what all runs have in common. */
export function intro(runs: readonly Run[], settings: readonly Setting[]): string {
  const machines = [...new Set(runs.map(({ machine }) => machine))].join('; ')
  const days = runs.map(({ started }) => started.slice(0, 10)).toSorted((a, b) => a.localeCompare(b))
  const period = days[0] === days.at(-1) ? days[0] : `${days[0]} to ${days.at(-1)}`
  const failed = runs.filter(isFailed).length
  const { shared } = split(settings)
  return `${runs.length} runs${failed > 0 ? `, ${failed} of which failed` : ''}; ${period}; ${machines}. In all of them: ${described(shared)}.`
}

const cellsOf = (conditions: Setting['conditions'], options: readonly string[]): string[] =>
  options.map((option) => String(conditions[option] ?? '–'))

/** A row for each setting and mode. */
export function resultsTable(settings: readonly Setting[]): string {
  const { varying } = split(settings)
  const manyClients = settings.some(({ conditions }) => Number(conditions.concurrency) > 1)
  const rows = settings.flatMap(({ conditions, modes }) =>
    Object.entries(modes).map(([mode, summary]) => [
      ...cellsOf(conditions, varying),
      `\`${mode}\``,
      ...results(summary),
      ...(manyClients ? [number(summary.throughput, 0)] : []),
    ]),
  )
  return table(
    [
      ...varying,
      'mode',
      'runs',
      'accuracy (95 %)',
      'steps accepted',
      'of those ruled on',
      'tokens/s',
      'speedup (quartiles)',
      'of total time',
      ...(manyClients ? ['tokens/s of all clients'] : []),
    ],
    rows,
  )
}

function results(summary: ModeSummary): string[] {
  const { runs, failed, accuracy, accuracyInterval, acceptRate, stepAcceptance, tokensPerSecond } = summary
  const { speedup, speedupQuartiles, speedupOfTotalTime } = summary
  const interval = accuracyInterval.map((bound) => (100 * bound).toFixed(1)).join(' – ')
  return [
    failed > 0 ? `${runs} (${failed} failed)` : String(runs),
    `${percent(accuracy)} (${interval})`,
    percent(acceptRate),
    percent(stepAcceptance),
    number(tokensPerSecond, 0),
    speedup === null ? '–' : `${times(speedup)} (${speedupQuartiles!.map(times).join(' – ')})`,
    times(speedupOfTotalTime),
  ]
}

/** Speed of `auto` over that of each fixed mode, a row for each setting; empty where there is nothing to compare. */
export function autoTable(settings: readonly Setting[]): string {
  const { varying } = split(settings)
  const fixed = [...new Set(settings.flatMap(({ modes }) => Object.keys(modes)))].filter((mode) => mode !== 'auto')
  const rows = settings
    .filter(({ modes }) => 'auto' in modes)
    .map(({ conditions, runs }) => [...cellsOf(conditions, varying), ...fixed.map((mode) => autoOver(mode, runs))])
  return rows.length === 0 || fixed.length === 0
    ? ''
    : table([...varying, ...fixed.map((mode) => `over \`${mode}\``)], rows)
}

function autoOver(mode: string, runs: readonly Run[]): string {
  const of = (wanted: string) => runs.filter((run) => run.mode === wanted)
  const [auto, fixed] = [summarize(of('auto'), of(mode)), summarize(of(mode), undefined)]
  if (auto.speedup === null || Number.isNaN(auto.speedup)) return '–'
  const quartiles = auto.speedupQuartiles!.map((value) => number(value, 2)).join(' – ')
  return `${number(auto.speedup, 2)} (${quartiles}), ${number(auto.throughput / fixed.throughput, 2)}`
}

/** Milliseconds an output token, a row for each setting and mode. */
export function phasesTable(settings: readonly Setting[]): string {
  const { varying } = split(settings)
  const rows = settings.flatMap(({ conditions, runs, modes }) =>
    Object.keys(modes).flatMap((mode) => {
      const phases = phasesOf(runs.filter((run) => run.mode === mode))
      if (!phases) return []
      const { draft, verify, judge, idle, wire, overlap } = phases
      const cells = [draft, verify, judge, idle, wire, overlap].map((ms) => number(ms, 3))
      return [[...cellsOf(conditions, varying), `\`${mode}\``, ...cells]]
    }),
  )
  return table([...varying, 'mode', 'draft', 'verify', 'judge', 'idle', 'wire', 'overlap'], rows)
}

export function theoryTable(predictions: readonly Prediction[]): string {
  const { varying } = split(predictions.map(({ setting }) => setting))
  const rows = predictions.map(({ setting, mode, acceptance, cost, sync, async, measured }) => [
    ...cellsOf(setting.conditions, varying),
    `\`${mode}\``,
    number(acceptance, 2),
    number(cost, 2),
    ...[sync, async, measured].map(times),
  ])
  return table([...varying, 'mode', 'α1', 'c1', 'synchronous', 'overlapped', 'measured'], rows)
}

/** Why steps were kept or turned down, by setting and mode. */
export function verdictsTable(settings: readonly Setting[]): string {
  const { varying } = split(settings)
  const rows = settings.flatMap(({ conditions, runs, modes }) =>
    Object.keys(modes).flatMap((mode) => {
      const verdicts = runs
        .filter((run) => run.mode === mode && !isFailed(run))
        .flatMap((run) => ('timeline' in run ? run.timeline : []))
        .filter(({ reason }) => reason !== undefined)
      const groups = Map.groupBy(verdicts, ({ type, reason }) => `${type.slice('step.'.length)}: ${reason}`)
      const said = [...groups]
        .toSorted(([, a], [, b]) => b.length - a.length)
        .map(([name, group]) => `${name} ${group.length}`)
      return said.length === 0 ? [] : [[...cellsOf(conditions, varying), `\`${mode}\``, said.join(', ')]]
    }),
  )
  return rows.length === 0 ? '' : table([...varying, 'mode', 'verdicts'], rows)
}

export const percent = (value: number | null): string => (value === null ? '–' : `${number(100 * value, 1)} %`)
export const times = (value: number | null): string => (value === null ? '–' : `${number(value, 2)}×`)
const number = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '–')
