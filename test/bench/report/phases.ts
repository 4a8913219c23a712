/** Where a run's time goes. */
import { isFailed } from '../runs/run.ts'
import type { CompletedRun, Run } from '../runs/run.ts'
import { sum } from '../statistics.ts'

export const phaseNames = ['draft', 'verify', 'judge', 'idle', 'wire'] as const
export type Phase = (typeof phaseNames)[number]

/**
 * Milliseconds an output token.
 * - `draft`, `verify`, `judge`: until that model's scores were there, by the worker's counters
 * - `idle`: of the worker's time, what none of the models took: the way between worker and backend, and waiting for a turn
 * - `wire`: between client and worker
 * - `overlap`: what the models took beyond the worker's time, since they worked side by side
 */
export type Phases = Record<Phase | 'overlap', number>

/** @param runs in one mode; `undefined` where none was completed */
export function phasesOf(runs: readonly Run[]): Phases | undefined {
  const completed = runs.filter((run): run is CompletedRun => !isFailed(run))
  const tokens = sum(completed.map((run) => run.tokens))
  if (tokens === 0) return undefined
  const perToken = (of: (run: CompletedRun) => number) => sum(completed.map(of)) / tokens
  const models = ({ stats }: CompletedRun) => stats.draft_ms + stats.target_ms + stats.judge_ms
  return {
    draft: perToken(({ stats }) => stats.draft_ms),
    verify: perToken(({ stats }) => stats.target_ms),
    judge: perToken(({ stats }) => stats.judge_ms),
    idle: perToken((run) => Math.max(0, run.stats.elapsed_ms - models(run))),
    wire: perToken((run) => Math.max(0, run.ms - run.stats.elapsed_ms)),
    overlap: perToken((run) => Math.max(0, models(run) - run.stats.elapsed_ms)),
  }
}
