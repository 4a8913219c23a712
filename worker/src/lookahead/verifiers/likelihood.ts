import { accepted, rejected } from './verifier.ts'
import type { Verifier } from './verifier.ts'

/**
 * Stricter than the gate before a judge, for nobody is asked after it. Of 2,800 labelled pairs it accepts 43.9 % of those that
 * mean the same and 0.4 % of the others; -4 would accept 46.1 and 0.9 % (`npm run bench:verifiers`).
 */
const LEAST_LOGPROB = -2

export interface LikelihoodOptions {
  /** See `Verifier.leastLogprob`. Default -2. */
  leastLogprob?: number
}

/**
 * What the target finds likely stands: every token of the step, in its place. It costs nothing but the packed forward over the
 * drafted steps, needs no second model and no target version of the step, and knows the context that a judge does not see. The
 * text is then drawn from the draft, among what the target might say: not from the target's distribution.
 */
export const likelihood = ({ leastLogprob = LEAST_LOGPROB }: LikelihoodOptions = {}): Verifier => ({
  name: 'likelihood',
  leastLogprob,
  alone: true,
  cuts: true,
  rule: ({ draft }) => (draft.unlikely ? rejected('unlikely') : accepted('likely')),
})
