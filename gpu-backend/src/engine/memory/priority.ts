/** Added to the arrival of those that count as younger than all others. */
const LAST = 2 ** 40
/** A text that has run nothing for so long, most likely since its client does not read, counts so until it goes on. */
const IDLE_MS = 1000

let arrivals = 0

/** How far apart the parts of one text are, such as branches that guess at the same time: all of them are within half a text. */
const PART = 1 / 1024

/**
 * How old a text is among those that share slots: the earlier it came the older, but for those that can do without. Of the
 * parts of one text those that pause are the youngest: the others are waited for.
 */
export class Age {
  readonly came: number
  readonly #optional: boolean
  #restsSince = Infinity
  #pauses = false
  #parts = 0

  /** @param came of the text that this one belongs to. Default: it is one of its own, and comes now */
  constructor(optional: boolean, came = ++arrivals) {
    this.#optional = optional
    this.came = came
  }

  get arrival(): number {
    const idle = performance.now() - this.#restsSince > IDLE_MS
    const among = this.came + (this.#pauses ? 1 / 2 : 0)
    return this.#optional || idle ? LAST + among : among
  }

  /** When one more part of the text came, which has an age of its own. */
  part(): number {
    return this.came + PART * ++this.#parts
  }

  works(): void {
    this.#restsSince = Infinity
    this.#pauses = false
  }

  /** It will work again when the other parts of its text have done their work. */
  pauses(): void {
    this.#pauses = true
  }

  rests(): void {
    this.#restsSince = performance.now()
  }
}
