/** Why a drafted step stands or falls, in words. */
const reasons: Record<string, readonly [accepted: string, rejected: string]> = {
  exact: ['word for word the target’s own', 'not word for word the target’s own'],
  judge: ['the judge takes both to mean the same', 'the judge does not take both to mean the same'],
  numbers: ['names the same numbers', 'names other numbers'],
  names: ['has the same names', 'has other names'],
  likely: ['typical of what the target writes here', 'not typical of what the target writes here'],
  unlikely: ['', 'the target finds it unlikely here'],
  score: ['the target rates it well', 'the target rates it poorly'],
  embedding: ['close in meaning', 'not close enough in meaning'],
  random: ['a coin said yes', 'a coin said no'],
  half_step: ['both were cut at the step cap', 'cut at the step cap, so not compared'],
  end: ['both end here', 'one of the two ends here'],
  no_judge: ['', 'not the same words, and there is no judge to ask'],
  judge_failed: ['', 'the judge could not be asked'],
}

/** The words of a verifier that is not known here are its own. */
export function inWords(reason: string, isAccepted: boolean): string {
  return reasons[reason]?.[isAccepted ? 0 : 1] || reason
}
