/** What speculation costs, in any one unit of time. */
export interface Costs {
  /** A forward of the target with `tokens` new tokens. */
  forward(tokens: number): number
  /** One more guess for each of `texts`: a forward of the draft model. */
  guess(texts: number): number
}

/** A further token in a target's forward, and a forward of the draft model, against a target's forward of one token. */
const TOKEN = 0.08
const GUESS = 0.1

/** For texts that a seed must bring back: what is guessed may not depend on the clock. */
export const nominal: Costs = { forward: (tokens) => 1 + TOKEN * (tokens - 1), guess: () => GUESS }

/** Weight of the past after one more forward: the last 50 or so count. */
const MEMORY = 0.98
/**
 * Forwards that never were, of these sizes and in the nominal shape, count as so many: a line cannot be fitted to forwards of
 * one size, and only guessed from wide ones for a narrow one.
 */
const BELIEF = { sizes: [1, 17], weight: 0.1 }

/** What forwards of the target and guesses of the draft took, lately. */
export const measuredCosts = (target: MeasuredForwards, guesses: MeasuredForwards): Costs => ({
  forward: (tokens) => target.cost(tokens),
  guess: (texts) => (guesses.measured ? guesses.cost(texts) : GUESS * target.cost(1)),
})

/** Weighted sums over forwards, `x` tokens and `y` milliseconds each. */
interface Sums {
  w: number
  x: number
  y: number
  xx: number
  xy: number
}

/**
 * Measured milliseconds: a line through the forwards of late. Each counts by its relative error, so that a narrow forward,
 * which costs little, is not lost in the noise of the wide ones.
 */
export class MeasuredForwards {
  #n = 0
  /** Sum of milliseconds against the nominal cost. */
  #ratios = 0
  #sums: Sums = { w: 0, x: 0, y: 0, xx: 0, xy: 0 }
  #line = { least: 0, intercept: 0, slope: 0 }

  took(tokens: number, ms: number): void {
    this.#n = MEMORY * this.#n + 1
    this.#ratios = MEMORY * this.#ratios + ms / nominal.forward(tokens)
    this.#sums = plus(this.#sums, MEMORY, tokens, ms, 1)
    const scale = this.#ratios / this.#n
    const { sizes, weight } = BELIEF
    const { w, x, y, xx, xy } = sizes.reduce(
      (sums, size) => plus(sums, 1, size, scale * nominal.forward(size), weight),
      this.#sums,
    )
    const slope = Math.max(0, (w * xy - x * y) / (w * xx - x * x))
    // A line through wide forwards can miss narrow ones altogether.
    this.#line = { least: scale / 2, intercept: (y - slope * x) / w, slope }
  }

  /** Whether any was measured. */
  get measured(): boolean {
    return this.#n > 0
  }

  /** Until any was measured, a ratio. */
  cost(tokens: number): number {
    if (this.#n === 0) return nominal.forward(tokens)
    const { least, intercept, slope } = this.#line
    return Math.max(least, intercept + slope * tokens)
  }
}

/** One more forward, which counts `times`; those before it count `memory` times what they did. */
function plus({ w, x, y, xx, xy }: Sums, memory: number, tokens: number, ms: number, times: number): Sums {
  const weight = times / nominal.forward(tokens) ** 2
  return {
    w: memory * w + weight,
    x: memory * x + weight * tokens,
    y: memory * y + weight * ms,
    xx: memory * xx + weight * tokens ** 2,
    xy: memory * xy + weight * tokens * ms,
  }
}
