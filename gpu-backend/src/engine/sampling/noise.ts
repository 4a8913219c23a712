import type { Distribution } from './distribution.ts'
import { Random, streams } from './random.ts'

/**
 * Noise for every place in a text, the same for whoever draws the token there: two models draw the same token as often as
 * their distributions agree, while each still draws exactly from its own (the Gumbel-max trick as a coupling; Daliri, Musco,
 * Suresh, arXiv 2408.07978). What is drawn depends on the seed and the place alone.
 */
export class TokenNoise {
  readonly #seed: number
  readonly #stream: readonly number[]

  /** @param alternative another way to draw the same text, independent of the first (0), which draft and target share */
  constructor(seed: number, alternative = 0) {
    this.#seed = seed
    this.#stream = alternative === 0 ? [streams.noise] : [streams.alternative, alternative]
  }

  /** Draws the token at `position` of the text: every token runs an exponential race at the speed of its probability. */
  draw(p: Distribution, position: number): number {
    if (p.tokens.length === 1) return p.tokens[0]!
    let first = Infinity
    let winner = p.tokens[0]!
    for (const [i, token] of p.tokens.entries()) {
      const arrival =
        -Math.log1p(-new Random(this.#seed, ...this.#stream, position, token).next()) / p.probabilities[i]!
      if (arrival < first) [first, winner] = [arrival, token]
    }
    return winner
  }
}
