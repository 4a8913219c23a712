/** Runs of our own making, for tests of what is computed from runs. */
import type { CompletedRun, Conditions, FailedRun, TimedEvent } from './run.ts'

export const conditions: Conditions = {
  dataset: 'demo',
  pair: 'near',
  rtt: 0,
  concurrency: 1,
  maxTokens: 1024,
  depth: 4,
  adaptive: false,
  verifier: 'judge',
}

interface Told extends Partial<Omit<CompletedRun, 'conditions' | 'stats'>> {
  conditions?: Partial<Conditions>
  stats?: Partial<CompletedRun['stats']>
}

const made = { sample: 0, seed: 0, machine: '2 × test', started: '2026-11-28T00:00:00.000Z' }

/** One second for 100 tokens, answered rightly, unless told otherwise. */
export function runOf(told: Told = {}): CompletedRun {
  const { tokens = 100, ms = 1000 } = told
  return {
    ...made,
    problem: 'a',
    mode: 'ar',
    finish: 'stop',
    text: 'text',
    right: 1,
    of: 1,
    timeline: [],
    ...told,
    tokens,
    ms,
    conditions: { ...conditions, ...told.conditions },
    stats: {
      cycles: 1,
      drafted_steps: 0,
      accepted_steps: 0,
      output_tokens: tokens,
      proposed_tokens: 0,
      accepted_tokens: 0,
      target_forwards: tokens,
      elapsed_ms: ms,
      draft_ms: 0,
      target_ms: 0,
      judge_ms: 0,
      ...told.stats,
    },
  }
}

export const failedRun = (told: Partial<FailedRun> = {}): FailedRun => ({
  ...made,
  problem: 'a',
  mode: 'ar',
  conditions,
  error: { code: 'no_slots', message: 'no memory is left' },
  ...told,
})

/** Steps that were drafted at 10 ms, and ruled on at 20 ms: `a` accepted, `r` rejected; then the target's own. */
export function ruled(verdicts: string, drafted = verdicts.length): TimedEvent[] {
  const fates = { a: 'step.accepted', r: 'step.rejected' } as const
  return [
    ...Array.from({ length: drafted }, (_, step) => ({ at: 10, type: 'step.drafted', step, text: 'x' })),
    ...verdicts.split('').map((fate, step) => ({
      at: 20,
      type: fates[fate as 'a' | 'r'],
      step,
      text: 'x',
      reason: 'judge',
    })),
    { at: 30, type: 'step.corrected', step: verdicts.replaceAll('r', '').length, text: 'y' },
  ]
}
