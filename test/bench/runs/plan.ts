/** Which runs are made, and in which order. */
import type { Mode } from '@lookahead/sdk'
import type { BenchProblem } from '../datasets/index.ts'

export interface PlannedRun {
  problem: BenchProblem
  mode: Mode
  sample: number
  seed: number
}

export interface PlanOptions {
  modes: readonly Mode[]
  /** Runs of each problem in each mode; the seeds follow on each other. */
  samples: number
  seed: number
  /** Clients at a time. */
  concurrency: number
}

/** In a round each of many clients makes so many runs, for the last ones run with fewer beside them. */
const RUNS_PER_CLIENT = 4

/**
 * Rounds of runs in one mode each: what runs beside a run is of its own mode. All modes take their turns on the same problems,
 * and each comes first as often as any other, so that none profits from a cache or a quiet machine. One client: a round is a run.
 */
export function planRounds(problems: readonly BenchProblem[], options: PlanOptions): PlannedRun[][] {
  const { modes, samples, seed, concurrency } = options
  const asked = Array.from({ length: samples }, (_, sample) =>
    problems.map((problem) => ({ problem, sample, seed: seed + sample })),
  ).flat()
  const blocks = chunks(asked, concurrency === 1 ? 1 : RUNS_PER_CLIENT * concurrency)
  return blocks.flatMap((block, at) => {
    const order = modes.map((_, place) => modes[(place + at) % modes.length]!)
    return order.map((mode) => block.map((run) => ({ ...run, mode })))
  })
}

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))
