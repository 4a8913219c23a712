/** Added to the rank of those that yield to all others. More sequences than that never arrive. */
const LAST = 2 ** 40
/** A sequence without a forward for so long yields to all others until it goes on: most likely its client does not read. */
const IDLE_SEQUENCE_MS = 1000
/** Priority gap between branches of one request: all its branches stay within half of what separates two requests. */
const BRANCH_GAP = 1 / 1024

let arrivals = 0

/**
 * Eviction order of the sequences that share a pool: older requests win; optional and idle ones yield first. Of the branches
 * of one request those that pause yield to the others, which are waited for.
 */
export class Priority {
  /** When the request arrived: a rank, not a time. */
  readonly arrival: number
  readonly #optional: boolean
  #restsSince = Infinity
  #pauses = false
  #branches = 0

  /**
   * @param optional yields to everybody
   * @param arrival of the request that the sequence belongs to. Default: it is one of its own, and arrives now
   */
  constructor(optional = false, arrival = ++arrivals) {
    this.#optional = optional
    this.arrival = arrival
  }

  /** The lower, the later it is evicted. Changes when the sequence pauses, or has been idle for a while. */
  get rank(): number {
    const isIdle = performance.now() - this.#restsSince > IDLE_SEQUENCE_MS
    const among = this.arrival + (this.#pauses ? 1 / 2 : 0)
    return this.#optional || isIdle ? LAST + among : among
  }

  /** The arrival of one more branch of the request, which then has a priority of its own. */
  nextBranch(): number {
    return this.arrival + BRANCH_GAP * ++this.#branches
  }

  /** A forward is asked for. */
  works(): void {
    this.#restsSince = Infinity
    this.#pauses = false
  }

  /** It goes on when the other branches of its request have done their work. */
  pauses(): void {
    this.#pauses = true
  }

  /** No forward is under way any more. */
  rests(): void {
    this.#restsSince = performance.now()
  }
}
