import { sum, wilson } from './statistics.ts'

/** One run. */
export interface Trial {
  correct: boolean
  /** Whether it says a word or a number that is neither in the question nor in a right solution. */
  underived: boolean
  /** Drafted steps. */
  accepted: number
  rejected: number
}

export interface Summary {
  runs: number
  /** Fraction of the runs, and its interval of 95 %. */
  accuracy: number
  interval: [number, number]
  /** Runs that plain decoding answers right and these do not, and the other way round. */
  lost: number
  won: number
  /** `(won − lost) / runs`, and half of its interval of 95 %. */
  difference: number
  margin: number
  /** Of the drafted steps that were ruled on; `null` for none. */
  acceptRate: number | null
  underived: number
}

/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959964

/** @param plain the same problems with the same seeds, in the same order */
export function summarize(trials: readonly Trial[], plain: readonly Trial[]): Summary {
  const runs = trials.length
  const right = trials.filter(({ correct }) => correct).length
  const lost = trials.filter(({ correct }, i) => !correct && plain[i]!.correct).length
  const won = trials.filter(({ correct }, i) => correct && !plain[i]!.correct).length
  const accepted = sum(trials.map((trial) => trial.accepted))
  const ruled = accepted + sum(trials.map((trial) => trial.rejected))
  const difference = (won - lost) / runs
  return {
    runs,
    accuracy: right / runs,
    interval: wilson(right, runs),
    lost,
    won,
    difference,
    // Of a mean of +1, 0 and −1.
    margin: Z * Math.sqrt(((won + lost) / runs - difference ** 2) / runs),
    acceptRate: ruled > 0 ? accepted / ruled : null,
    underived: trials.filter(({ underived }) => underived).length,
  }
}

/** @param found by threshold; `null`: plain decoding */
export function table(found: readonly ({ threshold: number | null } & Summary)[]): string {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
  const rows = found.map(
    ({ threshold, runs, accuracy, interval, lost, won, difference, margin, acceptRate, underived }) => [
      threshold === null ? 'plain decoding' : String(threshold),
      `${percent(accuracy)} (${interval.map((end) => (100 * end).toFixed(1)).join(' – ')})`,
      threshold === null ? '–' : `${(100 * difference).toFixed(2)} ± ${(100 * margin).toFixed(2)}`,
      threshold === null ? '–' : `${lost}, ${won}`,
      acceptRate === null ? '–' : percent(acceptRate),
      percent(underived / runs),
    ],
  )
  const head = ['threshold', 'accuracy', 'points', 'lost, won', 'steps accepted', 'underived']
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}
