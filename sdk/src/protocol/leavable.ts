/** An iterator that can be left at any time. */
export interface Leavable<T> extends AsyncIterableIterator<T, void, undefined> {
  return(): Promise<IteratorResult<T, void>>
}

/**
 * A generator that can be left while it waits. On its own an async generator queues `return()` behind a pending `next()`,
 * so whoever leaves waits for the next item, which may never come. Here `leave` is called first: it ends what is waited for.
 *
 * @param leave must make a pending `next()` settle; a failure of that `next()` is its reader's to see
 */
export function leavable<T>(generator: AsyncGenerator<T, void, undefined>, leave: () => unknown): Leavable<T> {
  return {
    next: () => generator.next(),
    async return() {
      await leave()
      return generator.return()
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
