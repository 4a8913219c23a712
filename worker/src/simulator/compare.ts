/** Predicted against measured, mode by mode. */
import { calibrate } from './calibrate.ts'
import type { Points } from './curve.ts'
import type { RecordedRun } from './recorded.ts'
import { replays } from './replay.ts'
import { simulate } from './simulate.ts'
import type { Way, World } from './world.ts'

export interface Comparison {
  mode: string
  way: Way
  runs: number
  /** Milliseconds a token, over all runs. */
  measured: number
  predicted: number
  /** Predicted over measured, less 1. */
  error: number
}

/**
 * Costs are fitted to the phases of the runs of every second problem; the runs of the others are played by the clock with
 * these costs. Accepted and refused steps are each run's own, its token guesses are drawn.
 * @param forwards what forwards cost, where that has been measured by itself
 */
export function crossValidate(runs: readonly RecordedRun[], forwards?: Points): Comparison[] {
  const problems = [...new Set(runs.map(({ problem }) => problem))]
  const isHeld = ({ problem }: RecordedRun) => problems.indexOf(problem) % 2 === 1
  const held = problems.length > 1 ? runs.filter(isHeld) : runs
  const fitted = problems.length > 1 ? runs.filter((run) => !isHeld(run)) : runs
  return compare(held, calibrate(fitted, forwards))
}

/** Plays every run by the clock, with what things cost in `world`. */
export function compare(runs: readonly RecordedRun[], world: World): Comparison[] {
  const all = replays(runs)
  return [...new Set(runs.map(({ mode }) => mode))].map((mode) => {
    const played = all
      .filter(({ run }) => run.mode === mode)
      .map(({ run, text, way }) => ({
        run,
        way,
        did: simulate(text, way, { ...world, roundTrip: run.conditions.rtt }),
      }))
    const sum = (of: (replay: (typeof played)[number]) => number) => played.reduce((total, one) => total + of(one), 0)
    const measured = sum(({ run }) => run.ms) / sum(({ run }) => run.tokens)
    const predicted = sum(({ did }) => did.ms) / sum(({ did }) => did.tokens)
    const { way } = played[0]!
    return {
      mode,
      way,
      runs: played.length,
      measured,
      predicted,
      error: predicted / measured - 1,
    }
  })
}
