/** The `away` events of calls that are tried again by themselves, for whoever reads the events of the text. */
import type { Away } from '../../lookahead/upstream.ts'

export class AwayEvents {
  #waiting: Away[] = []
  #arrived = Promise.withResolvers<void>()

  push(away: Away): void {
    this.#waiting.push(away)
    this.#arrived.resolve()
  }

  /** The events of calls, and these between them: at once, though an event is waited for. */
  async *mergedWith<Event>(
    events: AsyncGenerator<Event, void, undefined>,
  ): AsyncGenerator<Event | Away, void, undefined> {
    try {
      for (let next = events.next(); ;) {
        await Promise.race([next, this.#arrived.promise])
        if (this.#waiting.length > 0) {
          yield* this.#take()
          continue
        }
        const { done, value } = await next
        if (done) return
        yield value
        next = events.next()
      }
    } finally {
      await events.return()
    }
  }

  #take(): Away[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#arrived = Promise.withResolvers()
    return waiting
  }
}
