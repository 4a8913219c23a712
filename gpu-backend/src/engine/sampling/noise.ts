import type { Distribution } from './distribution.ts'
import { Random, streams } from './random.ts'

/**
 * The same noise for the draft's and the target's version of one step, so that both draw the same token as often as
 * their distributions agree, while each still draws exactly from its own (the Gumbel-max trick as a coupling; Daliri,
 * Musco, Suresh, arXiv 2408.07978). Without it even a perfect draft would often say something else.
 */
export class StepNoise {
  readonly #seed: number
  readonly #stream: readonly number[]

  /** @param stream names the step: no two steps of a text may share it */
  constructor(seed: number, ...stream: number[]) {
    this.#seed = seed
    this.#stream = stream
  }

  /** Draws the step's token at `offset`: every token runs an exponential race at the speed of its probability. */
  draw(p: Distribution, offset: number): number {
    if (p.tokens.length === 1) return p.tokens[0]!
    let first = Infinity
    let winner = p.tokens[0]!
    for (const [i, token] of p.tokens.entries()) {
      const arrival =
        -Math.log1p(-new Random(this.#seed, streams.noise, ...this.#stream, offset, token).next()) / p.probabilities[i]!
      if (arrival < first) [first, winner] = [arrival, token]
    }
    return winner
  }
}
