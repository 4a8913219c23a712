/** What the demo judge was taught to read: one short question, and the two steps. */

/** The two verdicts. */
export const ALIGNED = 'aligned'
export const UNALIGNED = 'unaligned'

/** The answer that a prompt has already begun, so that what comes next is the verdict. */
export const PREFILL = '['

/** What must be a single token each to a model that was taught this prompt. */
export const taughtTokens = [ALIGNED, UNALIGNED, '<|im_start|>', '<|im_end|>'] as const

/** The whole prompt: the first generated token is the verdict. */
export const judgePrompt = (targetStep: string, draftStep: string): string =>
  taughtPrompt({ target: targetStep, draft: draftStep }) + PREFILL

/** The prompt without its prefill. */
export const taughtPrompt = ({ target, draft }: { target: string; draft: string }): string =>
  '<|im_start|>user\nDo these two steps mean and compute the same?\n' +
  `A: ${target.trim()}\nB: ${draft.trim()}<|im_end|>\n<|im_start|>assistant\n`
