/** The pool of token slots of one model: each is one token's row in the K and V pools. */
export class SlotPool {
  readonly size: number
  #free: number[]
  #taken: Uint8Array

  constructor(size: number) {
    this.size = size
    this.#free = Array.from({ length: size }, (_, i) => size - 1 - i)
    this.#taken = new Uint8Array(size)
  }

  get free(): number {
    return this.#free.length
  }

  /** `n` free slots, or undefined when there are fewer. */
  take(n: number): number[] | undefined {
    if (n > this.#free.length) return undefined
    const slots = this.#free.splice(this.#free.length - n, n)
    for (const slot of slots) this.#taken[slot] = 1
    return slots
  }

  give(slots: readonly number[]): void {
    for (const slot of slots) {
      if (this.#taken[slot] !== 1) throw new Error(`slot ${slot} was given back twice`)
      this.#taken[slot] = 0
    }
    for (let i = slots.length - 1; i >= 0; i--) this.#free.push(slots[i]!)
  }
}
