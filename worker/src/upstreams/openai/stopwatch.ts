/** How long events were waited for; not how long their reader took over each. */
export class Stopwatch {
  /** Milliseconds. */
  ms = 0

  async *times<Event>(events: AsyncIterable<Event>): AsyncGenerator<Event, void, undefined> {
    let since = performance.now()
    for await (const event of events) {
      this.ms += performance.now() - since
      yield event
      since = performance.now()
    }
    this.ms += performance.now() - since
  }
}
