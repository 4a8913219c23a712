/** What the adaptive controller learns with: sums and a line that follow what was seen of late. */

/** Weight of the past after one more observation: the last 20 or so count. */
const DECAY = 0.95

/** A sum in which the past counts less and less. */
export class DecayingSum {
  sum: number
  readonly #decay: number

  constructor(start: number, decay = DECAY) {
    this.sum = start
    this.#decay = decay
  }

  add(value: number): void {
    this.sum = this.#decay * this.sum + value
  }
}

/** The prior: two pseudo-observations on a line of the expected shape, each with a quarter of a real one's weight. */
const PRIOR = { at: [25, 200], weight: 0.25 }

/** The straight line `x + y·d` nearest to what was observed of late; neither is below 0. */
export class Line {
  readonly #shape: number
  #weights = 0
  #d = 0
  #dd = 0
  #y = 0
  #dy = 0

  /** @param shape `y / x` before it is known */
  constructor(shape: number) {
    this.#shape = shape
  }

  get isMeasured(): boolean {
    return this.#weights > 0
  }

  /** How widely `d` was spread: its standard deviation, in parts of its mean. */
  get spread(): number {
    const mean = this.#d / this.#weights
    return mean > 0 ? Math.sqrt(Math.max(0, this.#dd / this.#weights - mean * mean)) / mean : 0
  }

  add(d: number, y: number, weight = 1): void {
    const decay = DECAY ** weight
    this.#weights = decay * this.#weights + weight
    this.#d = decay * this.#d + weight * d
    this.#dd = decay * this.#dd + weight * d * d
    this.#y = decay * this.#y + weight * y
    this.#dy = decay * this.#dy + weight * d * y
  }

  /** Before anything was observed, of the prior's shape. */
  at(d: number): number {
    const expected = this.isMeasured ? this.#y / (this.#weights + this.#shape * this.#d) : 1
    let [n, sd, sdd, sy, sdy] = [this.#weights, this.#d, this.#dd, this.#y, this.#dy]
    for (const place of PRIOR.at) {
      const value = PRIOR.weight * expected * (1 + this.#shape * place)
      n += PRIOR.weight
      sd += PRIOR.weight * place
      sdd += PRIOR.weight * place * place
      sy += value
      sdy += value * place
    }
    const slope = (n * sdy - sd * sy) / (n * sdd - sd * sd)
    if (slope < 0) return sy / n
    const start = (sy - slope * sd) / n
    return start < 0 ? (d * sdy) / sdd : start + slope * d
  }
}
