import { vi } from 'vitest'

/** Turns of the event loop after which nothing is at work but forwards. */
const TURNS = 20

/**
 * A clock that only forwards move, for what is learnt from times: `performance.now()` stands while anything else works, and
 * goes on to the end of the next forward when all that goes on at the same time are forwards. No machine is too slow for it.
 */
export class ForwardClock {
  #now = 0
  #computing = 0
  #works = 0
  readonly #running = new Set<{ end: number; done: () => void }>()

  constructor() {
    vi.spyOn(performance, 'now').mockImplementation(() => this.#now)
  }

  /** Computes a forward, which takes `ms` by this clock however long it takes. */
  async forward<T>(ms: number, compute: () => Promise<T>): Promise<T> {
    const end = this.#now + ms
    this.#computing++
    const scores = await compute().finally(() => this.#computing--)
    await new Promise<void>((done) => this.#running.add({ end, done }))
    return scores
  }

  /** Goes on until `work` is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#works++
    const result = work.finally(() => this.#works--)
    result.catch(() => {})
    while (this.#works > 0) {
      for (let i = 0; i < TURNS; i++) await new Promise((resolve) => setImmediate(resolve))
      if (this.#computing === 0) this.#endNext()
    }
    return result
  }

  #endNext(): void {
    const [next] = [...this.#running].toSorted((a, b) => a.end - b.end)
    if (!next) return
    this.#running.delete(next)
    this.#now = next.end
    next.done()
  }
}
