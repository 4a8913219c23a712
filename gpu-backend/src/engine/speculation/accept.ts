/**
 * Token speculation by Leviathan et al. (arXiv 2211.17192): guesses from the draft distribution `q` are turned into
 * exact samples of the target distribution `p`.
 */
import { probability, sample } from '../sampling/distribution.ts'
import type { Distribution } from '../sampling/distribution.ts'
import type { Random } from '../sampling/random.ts'

/** Only the first places of a proposal are counted one by one: a drafted step may bring a hundred guesses at once. */
export const MOST_POSITIONS = 16

/** A guessed token and the distribution it was drawn from; without one, it counts as drawn with probability 1. */
export interface Guess {
  token: number
  q?: Distribution | undefined
}

/** What became of the guesses of one request. */
export class SpeculationCounts {
  /** Forwards of a text that had guesses. */
  drafts = 0
  /** Guesses made, and kept. */
  proposed = 0
  accepted = 0
  /** Of each place in a proposal, how often its guess was kept. */
  readonly perPosition: number[] = []

  add(proposed: number, accepted: number): void {
    if (proposed === 0) return
    this.drafts++
    this.proposed += proposed
    this.accepted += accepted
    for (let i = 0; i < Math.min(accepted, MOST_POSITIONS); i++) this.perPosition[i] = (this.perPosition[i] ?? 0) + 1
  }

  /** What became of another text's guesses. */
  include({ drafts, proposed, accepted, perPosition }: SpeculationCounts): void {
    this.drafts += drafts
    this.proposed += proposed
    this.accepted += accepted
    for (const [i, count] of perPosition.entries()) this.perPosition[i] = (this.perPosition[i] ?? 0) + count
  }

  /** Tokens that a forward with guesses gave; 1 where there was none. */
  get meanLength(): number {
    return 1 + this.accepted / Math.max(1, this.drafts)
  }
}

/** The tokens that stand: `accepted` guesses, then `next` from the target, unless all were accepted and no bonus was asked. */
export interface Outcome {
  accepted: number
  next: number | undefined
}

/**
 * Walks the guesses left to right. `p(i)` is the target's distribution before guess `i`; `p(guesses.length)` is asked
 * only with `bonus`, which draws the token after the last guess.
 */
export function accept(
  guesses: readonly Guess[],
  p: (i: number) => Distribution,
  random: Random,
  bonus?: (p: Distribution) => number,
): Outcome {
  for (const [i, guess] of guesses.entries()) {
    const target = p(i)
    const q = guess.q ? probability(guess.q, guess.token) : 1
    if (random.next() * q >= probability(target, guess.token))
      return { accepted: i, next: sample(residual(target, guess), random.next()) }
  }
  return { accepted: guesses.length, next: bonus?.(p(guesses.length)) }
}

/** `max(0, p − q)`, normalised: what is left for the target to draw once a guess was rejected. */
export function residual(p: Distribution, { token, q }: Guess): Distribution {
  const rest = p.tokens.map((t, i) => Math.max(0, p.probabilities[i]! - (q ? probability(q, t) : t === token ? 1 : 0)))
  const total = rest.reduce((a, b) => a + b, 0)
  // Only rounding can leave nothing: then p and q agree, and p itself is as good.
  return total > 0 ? { tokens: p.tokens, probabilities: rest.map((x) => x / total) } : p
}
