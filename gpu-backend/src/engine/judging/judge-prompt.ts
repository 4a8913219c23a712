/** The two verdicts. */
export const ALIGNED = 'aligned'
export const UNALIGNED = 'unaligned'

/** What must be a single token each to a model that was taught this prompt. */
export const judgeTokens = [ALIGNED, UNALIGNED, '<|im_start|>', '<|im_end|>'] as const

/**
 * The judge's whole prompt: one short question, the two steps, and a pre-filled `[`, so that the first generated token
 * is the verdict, `aligned` or `unaligned` (each a single token of the demo tokenizer).
 */
export function judgePrompt(targetStep: string, draftStep: string): string {
  return (
    '<|im_start|>user\nDo these two steps mean and compute the same?\n' +
    `A: ${targetStep.trim()}\nB: ${draftStep.trim()}<|im_end|>\n<|im_start|>assistant\n[`
  )
}
