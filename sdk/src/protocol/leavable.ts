/** An iterator that can be left at any time. */
export interface Leavable<T> extends AsyncIterableIterator<T, void, undefined> {
  return(): Promise<IteratorResult<T, void>>
}

/**
 * A generator that can be left while it waits. On its own an async generator queues `return()` behind a pending `next()`,
 * so whoever leaves waits for the next item, which may never come. Here `leave` is called first: it ends what is waited
 * for, and the pending `next()` says that there is nothing more, however it ended.
 */
export function leavable<T>(generator: AsyncGenerator<T, void, undefined>, leave: () => unknown): Leavable<T> {
  let left = false
  return {
    next: () =>
      generator.next().catch((error: unknown) => {
        if (!left) throw error
        return { done: true, value: undefined }
      }),
    async return() {
      left = true
      await leave()
      return generator.return()
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** The same events, of which the first was asked for already. */
export function resumed<T>(
  first: Promise<IteratorResult<T, void>>,
  rest: AsyncIterator<T, void, undefined>,
): Leavable<T> {
  const asked = [first]
  return {
    next: async () => asked.pop() ?? rest.next(),
    return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
