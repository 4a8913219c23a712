import { AbortedError, LookaheadError, RunFailedError } from './errors.ts'
import type { RunEvent } from './protocol/runs.ts'
import { RunResultBuilder } from './run-result.ts'
import type { RunResult } from './run-result.ts'

/** Output text as it becomes certain. */
export type TextDelta = Pick<Extract<RunEvent, { type: 'text.delta' }>, 'channel' | 'text'>

/**
 * A run, as it happens. Read it once, in one of three ways: its events (`for await … of run`), its text
 * (`for await … of run.textStream`), or only its result (`await run.final()`, which also works after one of the loops).
 *
 * The request is sent when reading starts. Leaving a loop closes the connection, and with it ends the run on the server.
 *
 * Reading throws {@link LookaheadError}: `run_failed` after a `run.failed` event, `stream_interrupted` when the stream
 * ends without its terminal event, `aborted` when the signal given to `stream` aborts.
 */
export class RunStream implements AsyncIterable<RunEvent> {
  readonly #open: (signal: AbortSignal) => AsyncGenerator<RunEvent, void>
  readonly #outer: AbortSignal | undefined
  readonly #scope = new AbortController()
  readonly #result = Promise.withResolvers<RunResult>()
  #read = false
  #cancelled = false

  /** @internal */
  constructor(open: (signal: AbortSignal) => AsyncGenerator<RunEvent, void>, outer: AbortSignal | undefined) {
    this.#open = open
    this.#outer = outer
    // The result may fail without anyone having asked for it.
    this.#result.promise.catch(() => undefined)
  }

  /** @throws {TypeError} when the run is already being read. */
  [Symbol.asyncIterator](): AsyncGenerator<RunEvent, void> {
    if (this.#read) throw new TypeError('a RunStream can be read only once')
    this.#read = true
    return this.#events()
  }

  /**
   * Output text alone, from both channels.
   * @throws {TypeError} when the run is already being read.
   */
  get textStream(): AsyncGenerator<TextDelta, void> {
    return textOf(this[Symbol.asyncIterator]())
  }

  /** The completed run. Reads the stream to its end, unless a loop does or did so already. */
  async final(): Promise<RunResult> {
    if (!this.#read) for await (const _ of this);
    return this.#result.promise
  }

  /** Ends the run: a loop over it stops without an error, `final()` rejects with `aborted`. Does nothing after the end. */
  cancel(): void {
    this.#cancelled = true
    this.#scope.abort(new AbortedError('the run was cancelled'))
  }

  async *#events(): AsyncGenerator<RunEvent, void> {
    const { signal } = this.#scope
    const abort = () => this.#scope.abort(new AbortedError('the run was aborted', { cause: this.#outer?.reason }))
    this.#outer?.addEventListener('abort', abort)
    if (this.#outer?.aborted) abort()
    const builder = new RunResultBuilder()
    try {
      for await (const event of this.#open(signal)) {
        builder.add(event)
        if (event.type === 'run.completed') this.#result.resolve(builder.build(event))
        yield event
        if (event.type === 'run.failed') throw new RunFailedError(event.code, event.message)
        if (event.type !== 'run.completed') signal.throwIfAborted()
      }
    } catch (error) {
      this.#result.reject(error)
      if (!this.#cancelled || !LookaheadError.isInstance(error) || error.kind !== 'aborted') throw error
    } finally {
      this.#outer?.removeEventListener('abort', abort)
      this.#result.reject(new AbortedError('the run was left before its end'))
    }
  }
}

async function* textOf(events: AsyncGenerator<RunEvent, void>): AsyncGenerator<TextDelta, void> {
  for await (const event of events) {
    if (event.type === 'text.delta') yield { channel: event.channel, text: event.text }
  }
}
