/** Ends a request whose other side has fallen silent: each wait is timed, and the first that takes too long aborts it. */
export class Watchdog {
  /** The request's: aborts with `outer`, or when a wait took too long. */
  readonly signal: AbortSignal
  readonly #silence = new AbortController()

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#silence.signal])
  }

  /**
   * Settles like what `start` begins, or rejects with the signal's reason when that comes first: not every `fetch`
   * listens to its signal.
   * @param tooLong the reason after `ms` milliseconds
   */
  wait<T>(start: () => Promise<T>, ms: number, tooLong: () => unknown): Promise<T> {
    const { signal } = this
    return new Promise<T>((resolve, reject) => {
      const abort = () => reject(signal.reason)
      const timer = setTimeout(() => this.#silence.abort(tooLong()), ms)
      const settle = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
      }
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
      start().then(resolve, reject).finally(settle)
    })
  }

  /** The same bytes. Time counts only while a read is waiting, so a slow reader never looks like a silent server. */
  watch(body: ReadableStream<Uint8Array>, ms: number, tooLong: () => unknown): ReadableStream<Uint8Array> {
    const reader = body.getReader()
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const { done, value } = await this.wait(() => reader.read(), ms, tooLong)
            if (done) controller.close()
            else controller.enqueue(value)
          } catch (error) {
            controller.error(error)
            await reader.cancel(error).catch(() => undefined)
          }
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    )
  }
}
