/** Wall time by part, in milliseconds, and how often each ran. */
export class Timer {
  readonly #started = performance.now()
  readonly #parts = new Map<string, { ms: number; count: number }>()

  async time<T>(part: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now()
    try {
      return await work()
    } finally {
      const { ms, count } = this.#parts.get(part) ?? { ms: 0, count: 0 }
      this.#parts.set(part, { ms: ms + performance.now() - start, count: count + 1 })
    }
  }

  get total(): number {
    return performance.now() - this.#started
  }

  ms(part: string): number {
    return this.#parts.get(part)?.ms ?? 0
  }

  count(part: string): number {
    return this.#parts.get(part)?.count ?? 0
  }
}
