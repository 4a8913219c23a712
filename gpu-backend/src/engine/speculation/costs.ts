import { dot, noPoints, plane, withPoint } from './least-squares.ts'
import type { Sums, Vector } from './least-squares.ts'

/** What speculation costs, in any one unit of time. */
export interface Costs {
  /** A forward of the target that runs `tokens` new tokens of `rows` requests. */
  forward(rows: number, tokens: number): number
  /** One more guess for each of `texts`: a forward of the draft model. */
  guess(texts: number): number
}

/** Where guesses take no time. */
export const withFreeGuesses = (costs: Costs): Costs => ({
  forward: (rows, tokens) => costs.forward(rows, tokens),
  guess: () => 0,
})

/** A further row or token in a target's forward, and a forward of the draft model, against a target's forward of one token. */
const ROW = 0.08
const TOKEN = 0.08
const GUESS = 0.1

/** For texts that a seed must bring back: what is guessed may not depend on the clock. */
export const nominal: Costs = {
  forward: (rows, tokens) => 1 + ROW * (rows - 1) + TOKEN * (tokens - 1),
  guess: () => GUESS,
}

/** Forwards after which the plane is fitted anew although nobody asks: a fit takes as long as a part of a small forward. */
const MOST_UNFITTED = 16

/** Weight of earlier forwards after one more: about the last 50 count. */
const FORWARD_DECAY = 0.98
/** A forward counts as at most twice what was expected of it: now and then one is held up by something else. */
const OUTLIER = 2
/**
 * Prior: three pseudo-observations of weight 0.1, at the nominal costs. Without guesses every forward has as many tokens as
 * rows, so measurements alone could not tell what guesses cost.
 */
const FORWARD_PRIOR = { rows: [1, 1, 17], tokens: [1, 17, 17], weight: 0.1 }

/** What forwards of the target and guesses of the draft took, lately. */
export const measuredCosts = (target: MeasuredForwards, guesses: MeasuredForwards): Costs => ({
  forward: (rows, tokens) => target.cost(rows, tokens),
  guess: (texts) => (guesses.measured ? guesses.cost(texts, texts) : GUESS * target.cost(1, 1)),
})

/**
 * Measured milliseconds, `a + b · rows + c · tokens`: the plane nearest to the forwards of late. Each counts by its relative
 * error, so that a narrow forward, which costs little, is not lost in the noise of the wide ones.
 */
export class MeasuredForwards {
  #n = 0
  /** Sum of milliseconds against the nominal cost. */
  #ratios = 0
  #sums: Sums = noPoints
  #plane: Vector = [0, 0, 0]
  /** Forwards since the plane was fitted. */
  #unfitted = MOST_UNFITTED
  /** Lower bound of a cost: a plane fitted to wide forwards can give less than nothing for narrow ones. */
  #least = 0

  took(rows: number, tokens: number, took: number): void {
    const ms = this.measured ? Math.min(took, OUTLIER * this.#costOf(rows, tokens)) : took
    const usual = nominal.forward(rows, tokens)
    this.#n = FORWARD_DECAY * this.#n + 1
    this.#ratios = FORWARD_DECAY * this.#ratios + ms / usual
    this.#sums = withPoint(this.#sums, FORWARD_DECAY, [1, rows, tokens], ms, 1 / usual ** 2)
    if (this.#unfitted++ >= MOST_UNFITTED) this.#fit()
  }

  /** Whether any was measured. */
  get measured(): boolean {
    return this.#n > 0
  }

  /** Until any was measured, a ratio. */
  cost(rows: number, tokens: number): number {
    if (this.#n === 0) return nominal.forward(rows, tokens)
    // Most forwards are never asked about.
    if (this.#unfitted > 0) this.#fit()
    return this.#costOf(rows, tokens)
  }

  #costOf(rows: number, tokens: number): number {
    return Math.max(this.#least, dot(this.#plane, [1, rows, tokens]))
  }

  #fit(): void {
    const scale = this.#ratios / this.#n
    let believed = this.#sums
    for (const [i, rows] of FORWARD_PRIOR.rows.entries()) {
      const tokens = FORWARD_PRIOR.tokens[i]!
      const usual = nominal.forward(rows, tokens)
      believed = withPoint(believed, 1, [1, rows, tokens], scale * usual, FORWARD_PRIOR.weight / usual ** 2)
    }
    this.#plane = plane(believed)
    this.#least = scale / 2
    this.#unfitted = 0
  }
}
