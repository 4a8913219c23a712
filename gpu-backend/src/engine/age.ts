/** Added to the arrival of those that count as younger than all others. */
const LAST = 2 ** 40
/** A text that has run nothing for so long, most likely since its client does not read, counts so until it goes on. */
const IDLE_MS = 1000

let arrivals = 0

/** How old a text is among those that share slots: the earlier it came the older, but for those that can do without. */
export class Age {
  readonly came: number
  readonly #optional: boolean
  #restsSince = Infinity

  /** @param came of the text that this one belongs to. Default: it is one of its own, and comes now */
  constructor(optional: boolean, came = ++arrivals) {
    this.#optional = optional
    this.came = came
  }

  get arrival(): number {
    const idle = performance.now() - this.#restsSince > IDLE_MS
    return this.#optional || idle ? LAST + this.came : this.came
  }

  works(): void {
    this.#restsSince = Infinity
  }

  rests(): void {
    this.#restsSince = performance.now()
  }
}
