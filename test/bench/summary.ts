import type { Mode } from '@lookahead/sdk'
import type { Measurement } from '../measure.ts'
import { quantile, sum } from './statistics.ts'

/** One problem's run in one mode. */
export interface Trial extends Measurement {
  correct: boolean
}

export interface ModeSummary {
  /** Fraction of the problems answered correctly. */
  accuracy: number
  tokens: number
  seconds: number
  /** All tokens over all seconds. */
  tokensPerSecond: number
  /** Accepted drafted steps over drafted steps; `null` in modes without steps. */
  acceptRate: number | null
  /** Tokens per second over those of `ar` on the same problem: the median problem. `null` without `ar`. */
  speedup: number | null
  /** Lower and upper quartile of the same ratio. */
  speedupQuartiles: [number, number] | null
  /** Seconds of `ar` on all problems over this mode's: counts that a mode may write more or fewer tokens. */
  speedupOfTotalTime: number | null
  /** Problems whose text and token count are those of `ar`. `null` without `ar`. */
  equal: number | null
}

/** `trials` and `baseline` hold the same problems in the same order. */
export function summarize(mode: Mode, trials: Trial[], baseline: Trial[] | undefined): ModeSummary {
  const tokens = sum(trials.map((trial) => trial.tokens))
  const seconds = sum(trials.map((trial) => trial.seconds))
  const drafted = sum(trials.map((trial) => trial.result.stats.drafted_steps))
  const accepted = sum(trials.map((trial) => trial.result.stats.accepted_steps))
  const ratios = baseline?.map((plain, at) => trials[at]!.tokensPerSecond / plain.tokensPerSecond)
  return {
    accuracy: trials.filter((trial) => trial.correct).length / trials.length,
    tokens,
    seconds,
    tokensPerSecond: tokens / seconds,
    acceptRate: mode.startsWith('lr') && drafted > 0 ? accepted / drafted : null,
    speedup: ratios ? quantile(ratios, 0.5) : null,
    speedupQuartiles: ratios ? [quantile(ratios, 0.25), quantile(ratios, 0.75)] : null,
    speedupOfTotalTime: baseline ? sum(baseline.map((plain) => plain.seconds)) / seconds : null,
    equal: baseline ? baseline.filter((plain, at) => sameText(plain, trials[at]!)).length : null,
  }
}

const sameText = (a: Trial, b: Trial): boolean => a.result.text === b.result.text && a.tokens === b.tokens
