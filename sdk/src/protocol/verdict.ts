/** Why a drafted step was kept or turned down; `Verdict` says what each means. */
export const verdictReasons = ['exact', 'numbers', 'judge', 'half_step', 'end', 'judge_failed'] as const
