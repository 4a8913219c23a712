import type { Result } from './run.ts'

export interface Score {
  killed: number
  total: number
}

/** Part of the mutants that must be noticed. */
const LEAST = 0.9

export const isEnough = ({ killed, total }: Score): boolean => killed >= LEAST * total

export function score(results: readonly Result[]): Score {
  return { killed: results.filter(({ killed }) => killed).length, total: results.length }
}

export function line({ killed, hung, ms, area, means }: Result): string {
  const verdict = hung ? 'killed, hung' : killed ? 'killed' : 'SURVIVED'
  return `${verdict.padEnd(12)} ${(ms / 1000).toFixed(1).padStart(6)} s  ${area}: ${means}`
}

export function table(results: readonly Result[]): string {
  const rows = [...Map.groupBy(results, ({ area }) => area), ['all', results] as const].map(([area, own]) => {
    const { killed, total } = score(own)
    const part = ((100 * killed) / total).toFixed(0)
    return `${area.padEnd(24)}${String(killed).padStart(4)} of ${String(total).padStart(3)}${part.padStart(6)} %`
  })
  const survivors = results.filter(({ killed }) => !killed).map(({ file, means }) => `survived: ${file}: ${means}`)
  return [...rows, ...survivors].join('\n')
}

export function summary(results: readonly Result[]): object {
  const areas = Object.fromEntries(
    [...Map.groupBy(results, ({ area }) => area)].map(([area, own]) => [area, score(own)]),
  )
  return { ...score(results), areas, mutants: results }
}
