/** Measured speedups beside those of the paper's formulas, with the rates that were measured. */
import { asyncSpeedup, syncSpeedup } from '@lookahead/worker/theory'
import { isFailed } from '../runs/run.ts'
import type { CompletedRun } from '../runs/run.ts'
import { count, ruledOn } from '../summary.ts'
import { sum } from '../statistics.ts'
import type { Setting } from './settings.ts'

export interface Prediction {
  setting: Setting
  mode: string
  /** α1: accepted steps of those that were ruled on. */
  acceptance: number
  /** c1: drafting a step, in times of the target's for one, in this mode. */
  cost: number
  /** Speedup over plain decoding if each cycle waits for its verdicts (theorem 1), and if drafting never does (theorem 2). */
  sync: number
  async: number
  /** Median. */
  measured: number
}

/**
 * Of the settings with a fixed depth. `lr+sd` is the formula for steps times what `sd` gained in the same setting: a step of the
 * target costs so much less, and drafting it so much more in times of it. That both multiply is what the paper says.
 */
export const predictions = (settings: readonly Setting[]): Prediction[] =>
  settings.flatMap((setting) => ['lr', 'lr+sd'].flatMap((mode) => predict(setting, mode) ?? []))

function predict(setting: Setting, mode: string): Prediction | undefined {
  const { conditions, modes } = setting
  const [plain, measured] = [modes.ar, modes[mode]?.speedup]
  const tokens = mode === 'lr' ? 1 : modes.sd?.speedup
  const rates = ratesOf(completed(setting, mode))
  if (conditions.adaptive !== false || !plain || measured == null || tokens == null || !rates) return undefined
  const targetStepMs = (rates.stepTokens * 1000) / plain.tokensPerSecond / tokens
  const layer = { acceptance: rates.acceptance, cost: rates.draftStepMs / targetStepMs }
  const depth = Number(conditions.depth)
  return {
    setting,
    mode,
    ...layer,
    sync: tokens * syncSpeedup(layer, depth + 1),
    async: tokens * asyncSpeedup(layer, depth),
    measured,
  }
}

const completed = ({ runs }: Setting, mode: string): CompletedRun[] =>
  runs.filter((run): run is CompletedRun => run.mode === mode && !isFailed(run))

/** `undefined` where no step was ruled on. */
function ratesOf(runs: readonly CompletedRun[]) {
  const total = (of: (run: CompletedRun) => number) => sum(runs.map(of))
  const accepted = total((run) => count(run, 'step.accepted'))
  const ruled = total(ruledOn)
  const committed = accepted + total((run) => count(run, 'step.corrected'))
  const drafted = total(({ stats }) => stats.drafted_steps)
  if (ruled === 0 || committed === 0 || drafted === 0) return undefined
  return {
    acceptance: accepted / ruled,
    stepTokens: total((run) => run.tokens) / committed,
    draftStepMs: draftingMs(runs) / drafted,
  }
}

/** Token speculation counts the draft's time too: what steps took is until the last of them was drafted. */
function draftingMs(runs: readonly CompletedRun[]): number {
  return sum(runs.map(draftingMsOf))
}

function draftingMsOf({ timeline, stats }: CompletedRun): number {
  if (stats.proposed_tokens === 0) return stats.draft_ms
  let [total, since] = [0, 0]
  for (const { at, type } of timeline) {
    if (type === 'step.drafted') total += at - since
    since = at
  }
  return Math.min(total, stats.draft_ms)
}
