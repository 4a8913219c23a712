/** Token speculation: guesses are turned into exact samples of the target distribution `p`. */
import { probability, sample } from '../sampling/distribution.ts'
import type { Distribution } from '../sampling/distribution.ts'
import { TokenNoise } from '../sampling/noise.ts'
import { Random, streams } from '../sampling/random.ts'

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
 * Draws the target's tokens, walking the guesses left to right.
 * @param p the target's distribution before guess `i`; after the last one asked for only with `bonus`
 * @param position of the first guess in the text
 * @param bonus whether a token is drawn after guesses that all prove right
 */
export type Sampler = (
  guesses: readonly Guess[],
  p: (i: number) => Distribution,
  position: number,
  bonus: boolean,
) => Outcome

/**
 * Keeps as many guesses as any exact scheme can (Leviathan et al., arXiv 2211.17192): Σ min(p, q) of them. Which tokens are
 * drawn depends on where guesses were made. @param random independent of what the guesses were drawn with
 */
export const rejectionSampler =
  (random: Random): Sampler =>
  (guesses, p, _position, bonus) => {
    for (const [i, guess] of guesses.entries()) {
      const target = p(i)
      const q = guess.q ? probability(guess.q, guess.token) : 1
      if (random.next() * q >= probability(target, guess.token))
        return { accepted: i, next: sample(residual(target, guess), random.next()) }
    }
    return { accepted: guesses.length, next: bonus ? sample(p(guesses.length), random.next()) : undefined }
  }

/**
 * Draws by the noise of each place whatever was guessed there, and keeps the guesses that are the same: a text is the same
 * with any guesses or none. Of guesses drawn with the same noise it keeps a few less than the rejection sampler: Σ min(p, q)
 * of 0.95 is 0.91 at least.
 */
export const couplingSampler =
  (noise: TokenNoise): Sampler =>
  (guesses, p, position, bonus) => {
    for (const [i, { token }] of guesses.entries()) {
      const next = noise.draw(p(i), position + i)
      if (next !== token) return { accepted: i, next }
    }
    const { length } = guesses
    return { accepted: length, next: bonus ? noise.draw(p(length), position + length) : undefined }
  }

/**
 * The target's sampler for tokens from `position` on.
 * @param coupled draws as the draft does, so that seed and place alone decide; else independently of it
 */
export const targetSampler = (seed: number, position: number, { coupled }: { coupled: boolean }): Sampler =>
  coupled ? couplingSampler(new TokenNoise(seed)) : rejectionSampler(new Random(seed, streams.target, position))

/** `max(0, p − q)`, normalised: what is left for the target to draw once a guess was rejected. */
export function residual(p: Distribution, { token, q }: Guess): Distribution {
  const rest = p.tokens.map((t, i) => Math.max(0, p.probabilities[i]! - (q ? probability(q, t) : t === token ? 1 : 0)))
  const total = rest.reduce((a, b) => a + b, 0)
  // Only rounding can leave nothing: then p and q agree, and p itself is as good.
  return total > 0 ? { tokens: p.tokens, probabilities: rest.map((x) => x / total) } : p
}
