/** What the demo judge was taught to read: one short question, and how the two steps differ. */
import { differences } from './differences.ts'

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

/**
 * The prompt without its prefill. What both steps have is left out, and the words that only one of them has are named: to
 * compare words that training never had is beyond a judge of this size, and takes no model.
 */
export function taughtPrompt({ target, draft }: { target: string; draft: string }): string {
  const [a, b] = differences(target, draft)
  return (
    '<|im_start|>user\nDo these two steps mean and compute the same?\n' +
    `A: ${a.parts}\nB: ${b.parts}\nA only: ${a.words.join(' ')}\nB only: ${b.words.join(' ')}<|im_end|>\n<|im_start|>assistant\n`
  )
}
