/** What befell calls that went on by themselves: a server is away, or another one was asked. */
import type { Away } from '../../lookahead/upstream.ts'

export class News {
  #untold: Away[] = []
  #come = Promise.withResolvers<void>()

  tell(away: Away): void {
    this.#untold.push(away)
    this.#come.resolve()
  }

  /** The events of calls, and the news between them: at once, though an event is waited for. */
  async *among<Event>(events: AsyncGenerator<Event, void, undefined>): AsyncGenerator<Event | Away, void, undefined> {
    try {
      for (let next = events.next(); ;) {
        await Promise.race([next, this.#come.promise])
        if (this.#untold.length > 0) {
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
    const untold = this.#untold
    this.#untold = []
    this.#come = Promise.withResolvers()
    return untold
  }
}
