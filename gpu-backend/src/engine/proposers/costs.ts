/** What speculation costs, in any one unit of time. */
export interface Costs {
  /** A forward of the target with `tokens` new tokens. */
  forward(tokens: number): number
  /** One more guess for all texts of a forward: a forward of the draft model. */
  readonly guess: number
}

/** A further token in a target's forward, and a forward of the draft model, against a target's forward of one token. */
const TOKEN = 0.08
const GUESS = 0.1

/** For texts that a seed must bring back: what is guessed may not depend on the clock. */
export const nominal: Costs = { forward: (tokens) => 1 + TOKEN * (tokens - 1), guess: GUESS }

/** Weight of the past after one more forward: the last 50 or so count. */
const MEMORY = 0.98
/** Forwards' worth of belief in the nominal shape: a line cannot be fitted to forwards of one size. */
const BELIEF = 2

/** Measured milliseconds: a line through the forwards of late (ridge regression towards the nominal slope). */
export class MeasuredCosts implements Costs {
  #n = 0
  #tokens = 0
  #ms = 0
  #tokens2 = 0
  #tokensMs = 0
  #guess: number | undefined

  /** @param ms undefined is not counted */
  forwardTook(tokens: number, ms: number | undefined): void {
    if (ms === undefined) return
    this.#n = MEMORY * this.#n + 1
    this.#tokens = MEMORY * this.#tokens + tokens
    this.#ms = MEMORY * this.#ms + ms
    this.#tokens2 = MEMORY * this.#tokens2 + tokens * tokens
    this.#tokensMs = MEMORY * this.#tokensMs + tokens * ms
  }

  guessTook(ms: number): void {
    this.#guess = this.#guess === undefined ? ms : MEMORY * this.#guess + (1 - MEMORY) * ms
  }

  /** Whether any forward was measured; until then costs are nominal. */
  get measured(): boolean {
    return this.#n > 0
  }

  forward(tokens: number): number {
    if (this.#n === 0) return nominal.forward(tokens)
    const meanTokens = this.#tokens / this.#n
    const meanMs = this.#ms / this.#n
    const usual = (meanMs * TOKEN) / nominal.forward(meanTokens)
    const variance = this.#tokens2 / this.#n - meanTokens ** 2
    const covariance = this.#tokensMs / this.#n - meanTokens * meanMs
    const slope = Math.max(0, (covariance + (BELIEF / this.#n) * usual) / (variance + BELIEF / this.#n))
    // Never below half of the mean's share: a fit to few sizes can be absurd.
    return Math.max(meanMs + slope * (tokens - meanTokens), meanMs / nominal.forward(meanTokens) / 2)
  }

  get guess(): number {
    return this.#guess ?? GUESS * this.forward(1)
  }
}
