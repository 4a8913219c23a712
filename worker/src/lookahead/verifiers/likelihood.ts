import { accepted, rejected } from './verifier.ts'
import type { Verifier } from './verifier.ts'

export interface LikelihoodOptions {
  /** See `Verifier.leastLogprob`. */
  leastLogprob: number
}

/**
 * What the target finds likely stands: every token of the step, in its place. It costs nothing but the packed forward over the
 * drafted steps, needs no second model and no target version of the step, and knows the context that a judge does not see. The
 * text is then drawn from the draft, among what the target might say: not from the target's distribution.
 */
export const likelihood = ({ leastLogprob }: LikelihoodOptions): Verifier => ({
  name: 'likelihood',
  leastLogprob,
  alone: true,
  rule: ({ draft }) => (draft.unlikely ? rejected('unlikely') : accepted('likely')),
})
