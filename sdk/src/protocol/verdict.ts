import { openWord } from './open-word.ts'
import type { OpenWord } from './open-word.ts'

/** Why a drafted step was kept or turned down; `Verdict` says what each means. */
export const verdictReasons = [
  'exact',
  'numbers',
  'names',
  'unlikely',
  'likely',
  'judge',
  'score',
  'random',
  'embedding',
  'half_step',
  'end',
  'no_judge',
  'judge_failed',
] as const

/** One of ours, or another verifier's own word. */
export type VerdictReason = OpenWord<(typeof verdictReasons)[number]>
export const VerdictReason = openWord<(typeof verdictReasons)[number]>()
