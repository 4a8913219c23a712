import { chain } from './chain.ts'
import { plain } from './rules/index.ts'
import { accepted, rejected } from './verifier.ts'
import type { StepContext, Verifier } from './verifier.ts'

/** SpecReason's question (its `get_score`), in our words, and what the answer begins with: a digit follows. */
export const SCORE_QUESTION =
  'Rate the last reasoning step by nothing but whether it is right: whether what it says is true, and whether it follows from ' +
  'the steps before it. Style, wording and usefulness do not count. Give a score from 0 to 9.'
export const SCORE_PREFILL = 'I think the quality score is: '

/** Rates drafted steps in their context, from 0 to 9. @throws the signal's reason, among others */
export type AskScore = (
  steps: readonly { draft: string; context?: StepContext | undefined }[],
  signal: AbortSignal,
) => Promise<number[]>

export interface ScoreOptions {
  ask: AskScore
  /** The least score that is accepted. Default 7, as in SpecReason. */
  threshold?: number | undefined
}

/**
 * The target itself rates the drafted step (SpecReason, arXiv 2504.07891): what is good enough stands, whether or not it
 * says what the target would have said.
 */
export function score({ ask, threshold = 7 }: ScoreOptions): Verifier {
  return chain('score', ...plain, {
    name: 'score',
    rule: () => undefined,
    ask: async (pairs, signal) => {
      const steps = pairs.map(({ draft, context }) => ({ draft: draft.text, context }))
      return (await ask(steps, signal)).map((n) => (n >= threshold ? accepted('score') : rejected('score')))
    },
  })
}
