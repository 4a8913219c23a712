import { accepted, rejected } from './verifier.ts'
import type { TokenDistribution, Verifier } from './verifier.ts'

/** Measured: docs/results/likelihood.md. */
export const LIKELIHOOD_THRESHOLD = 0.25

export interface LikelihoodOptions {
  /** How typical of the target every token of a step must be, above 0 and up to 1: see `typicality`. Default 0.25. */
  threshold?: number | undefined
}

/**
 * What the target might well have said stands: every token of the step, in its place, in the distribution that the target draws
 * from. It costs nothing but the packed forward over the drafted steps, needs no second model and no target version of the step,
 * and knows the context that a judge does not see. At temperature 0 only the target's own tokens pass; above it the text is
 * the draft's choice among what the target might well say, and not drawn from the target's distribution.
 */
export const likelihood = ({ threshold = LIKELIHOOD_THRESHOLD }: LikelihoodOptions = {}): Verifier => ({
  name: 'likelihood',
  cuts: true,
  withThreshold: (other) => likelihood({ threshold: other }),
  kept: (tokens, p) => {
    const first = tokens.findIndex((token, i) => typicality(token, p(i)) < threshold)
    return first < 0 ? tokens.length : first
  },
  rule: ({ draft }) => (draft.unlikely ? rejected('unlikely') : accepted('likely')),
})

/**
 * How likely a token is, against how likely the token drawn there is on average: `p(token) · exp(H(p))`, the probability over
 * the geometric mean of the probabilities that draws have. 1: as likely as that, whether there are many ways to go on or one;
 * 0: cannot be drawn. A threshold on it is the typical acceptance of Medusa (arXiv 2401.10774, §2.3.1: `p ≥ min(ε, δ·exp(−H))`)
 * without ε, which would let pass what is unlikely where the target is sure.
 */
export function typicality(token: number, { tokens, probabilities }: TokenDistribution): number {
  const place = tokens.indexOf(token)
  if (place < 0) return 0
  const entropy = probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0)
  return probabilities[place]! * Math.exp(entropy)
}
