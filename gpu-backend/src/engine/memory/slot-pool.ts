/**
 * The pool of token slots of one model: each is one token's row in the K and V pools. A slot may have several users, since
 * texts share the slots of the prefix they have in common, and the prefix cache may keep it beyond its last user.
 */
export class SlotPool {
  readonly size: number
  readonly #free: number[]
  readonly #users: Uint32Array
  readonly #cached: Uint8Array
  #evictable = 0

  constructor(size: number) {
    this.size = size
    this.#free = Array.from({ length: size }, (_, i) => size - 1 - i)
    this.#users = new Uint32Array(size)
    this.#cached = new Uint8Array(size)
  }

  /** Slots that hold nothing. */
  get free(): number {
    return this.#free.length
  }

  /** Slots that can be had: the free ones, and those that only the prefix cache keeps. */
  get available(): number {
    return this.#free.length + this.#evictable
  }

  isUsed(slot: number): boolean {
    return this.#users[slot]! > 0
  }

  isCached(slot: number): boolean {
    return this.#cached[slot] === 1
  }

  /**
   * `n` free slots with one user each; undefined when there are fewer. Slots that were given back together come in the same
   * order again, so that a text's keys lie side by side where they can.
   */
  take(n: number): number[] | undefined {
    if (n > this.#free.length) return undefined
    const slots = this.#free.splice(this.#free.length - n, n).toReversed()
    for (const slot of slots) this.#users[slot] = 1
    return slots
  }

  /** One more user for each. */
  share(slots: readonly number[]): void {
    for (const slot of slots) {
      if (this.#users[slot] === 0) {
        if (this.#cached[slot] === 0) throw new Error(`slot ${slot} is free and cannot be shared`)
        this.#evictable--
      }
      this.#users[slot]!++
    }
  }

  /** One user less for each. */
  give(slots: readonly number[]): void {
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = slots[i]!
      if (this.#users[slot] === 0) throw new Error(`slot ${slot} was given back twice`)
      if (--this.#users[slot]! > 0) continue
      if (this.#cached[slot] === 1) this.#evictable++
      else this.#free.push(slot)
    }
  }

  /** From now on the prefix cache keeps these, which are in use. */
  cache(slots: readonly number[]): void {
    for (const slot of slots) {
      if (this.#users[slot] === 0 || this.#cached[slot] === 1) throw new Error(`slot ${slot} cannot be cached`)
      this.#cached[slot] = 1
    }
  }

  /** The prefix cache keeps these no longer. */
  uncache(slots: readonly number[]): void {
    for (let i = slots.length - 1; i >= 0; i--) {
      const slot = slots[i]!
      if (this.#cached[slot] === 0) throw new Error(`slot ${slot} is not cached`)
      this.#cached[slot] = 0
      if (this.#users[slot]! > 0) continue
      this.#evictable--
      this.#free.push(slot)
    }
  }

  /**
   * For tests: every slot is free, or cached, or has as many users as lists of `users` name it.
   * @throws {Error} naming the first slot of which that is not true
   */
  check(users: Iterable<readonly number[]>, cached: Iterable<number>): void {
    const expected = new Uint32Array(this.size)
    for (const slots of users) for (const slot of slots) expected[slot]!++
    const keeps = new Uint8Array(this.size)
    for (const slot of cached) keeps[slot]!++
    const frees = new Uint8Array(this.size)
    for (const slot of this.#free) frees[slot]!++
    let evictable = 0
    for (let slot = 0; slot < this.size; slot++) {
      const [n, kept, free] = [expected[slot]!, keeps[slot]!, frees[slot]!]
      if (this.#users[slot] !== n || this.#cached[slot] !== kept || free !== (n + kept === 0 ? 1 : 0))
        throw new Error(
          `slot ${slot}: ${this.#users[slot]} users counted, ${n} there; cached ${this.#cached[slot]} and ${kept}; ${free} times free`,
        )
      if (n === 0 && kept === 1) evictable++
    }
    if (evictable !== this.#evictable) throw new Error(`${this.#evictable} evictable slots counted, ${evictable} there`)
  }
}
