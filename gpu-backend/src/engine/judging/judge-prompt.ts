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
 * @param fenced see `Tokenizer.fenced`; default: the steps are the prompt's own text
 */
export function taughtPrompt(
  { target, draft }: { target: string; draft: string },
  fenced = (step: string): string => step,
): string {
  const [a, b] = differences(target, draft)
  const said = [`A: ${a.parts}`, `B: ${b.parts}`, `A only: ${a.words.join(' ')}`, `B only: ${b.words.join(' ')}`]
  return (
    '<|im_start|>user\nDo these two steps mean and compute the same?\n' +
    `${fenced(said.join('\n'))}<|im_end|>\n<|im_start|>assistant\n`
  )
}
