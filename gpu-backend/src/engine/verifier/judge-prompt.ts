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
