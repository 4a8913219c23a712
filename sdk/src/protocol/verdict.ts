import * as v from 'valibot'

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
export type VerdictReason = (typeof verdictReasons)[number] | (string & {})
export const VerdictReason = v.custom<VerdictReason>((value) => typeof value === 'string')
