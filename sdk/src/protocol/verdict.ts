/** Why a drafted step was kept or turned down; `Verdict` says what each means. */
export const verdictReasons = [
  'exact',
  'numbers',
  'unlikely',
  'judge',
  'half_step',
  'end',
  'no_judge',
  'judge_failed',
] as const
