import { AbortedError, RunFailedError, UsageError } from './errors.ts'
import { leavable } from './protocol/leavable.ts'
import type { Leavable } from './protocol/leavable.ts'
import type { RunEvent } from './protocol/runs.ts'
import { promised } from './promised.ts'
import { RunResultBuilder } from './run-result.ts'
import type { RunResult } from './run-result.ts'

/** Output text as it becomes certain. */
export type TextDelta = Pick<Extract<RunEvent, { type: 'text.delta' }>, 'channel' | 'text'>

/** @param isCancelled whether the signal was aborted by `cancel()` */
export type Open = (signal: AbortSignal, isCancelled: () => boolean) => AsyncGenerator<RunEvent, void, undefined>

/**
 * A run, as it happens. One reader may read it: its events (`for await … of run`) or its text (`for await … of
 * run.textStream`). `await run.final()` gives the result, with a reader or without.
 *
 * The request is sent when reading starts. Leaving a loop closes the connection, and with it ends the run on the server; a stored run goes on.
 *
 * Reading throws a `LookaheadError`: `run_failed` after a `run.failed` event, `stream_interrupted` when the stream ends
 * without its terminal event, `aborted` when the signal given to `stream` aborts, `usage` when the run has another reader.
 */
export class RunStream implements AsyncIterable<RunEvent> {
  readonly #source: AsyncGenerator<RunEvent, void, undefined>
  readonly #scope = new AbortController()
  readonly #result = promised<RunResult>()
  /** Whoever read first. */
  #reader: object | undefined
  /** Events that `final()` has read ahead of the reader. */
  #ahead: RunEvent[] = []
  #advancing: Promise<boolean> | undefined
  #failure: { error: unknown } | undefined
  /** Whoever leaves is told of no failure. */
  #left = false
  #cancelled = false

  /** @internal */
  constructor(open: Open, outer: AbortSignal | undefined) {
    this.#source = this.#run(open, outer)
    // The result may fail without anyone having asked for it.
    this.#result.promise.catch(() => undefined)
  }

  [Symbol.asyncIterator](): Leavable<RunEvent> {
    return this.#view((event) => event)
  }

  /** Output text alone, from both channels. */
  get textStream(): Leavable<TextDelta> {
    return this.#view((event) =>
      event.type === 'text.delta' ? { channel: event.channel, text: event.text } : undefined,
    )
  }

  /**
   * The completed run. May be asked at any time: reads the run to its end by itself, and what a reader has not read by
   * then is kept for it.
   */
  async final(): Promise<RunResult> {
    this.#reader ??= this
    while (await this.#advance());
    return this.#result.promise
  }

  /**
   * Ends the run, on the server too: a loop over it stops without an error, `final()` rejects with `aborted`. Does nothing after the end.
   */
  cancel(): void {
    this.#cancelled = true
    this.#detach()
  }

  /** What `pick` takes of every event. Nothing is claimed before the first read. */
  #view<T>(pick: (event: RunEvent) => T | undefined): Leavable<T> {
    const reader = {}
    return leavable(this.#read(reader, pick), () => (this.#claim(reader) ? this.#leave() : undefined))
  }

  #claim(reader: object): boolean {
    return (this.#reader ??= reader) === reader
  }

  async *#read<T>(reader: object, pick: (event: RunEvent) => T | undefined): AsyncGenerator<T, void, undefined> {
    if (!this.#claim(reader)) throw new UsageError('already_read', 'this run has another reader')
    do {
      for (let event = this.#ahead.shift(); event; event = this.#ahead.shift()) {
        const picked = pick(event)
        if (picked !== undefined) yield picked
      }
    } while (await this.#advance())
    if (this.#failure && !this.#left) throw this.#failure.error
  }

  /** Takes the next event from the server, for the reader and whoever waits for the end; false when there is none. */
  #advance(): Promise<boolean> {
    this.#advancing ??= this.#source.next().then(({ done, value }) => {
      this.#advancing = undefined
      if (!done && this.#reader !== this && !this.#scope.signal.aborted) this.#ahead.push(value)
      return !done
    })
    return this.#advancing
  }

  #detach(): void {
    this.#left = true
    this.#stop('the run was left')
  }

  #stop(why: string, options?: { cause: unknown }): void {
    this.#ahead = []
    this.#scope.abort(new AbortedError(why, options))
    this.#result.reject(this.#scope.signal.reason)
  }

  /** Resolves once the connection is closed. */
  async #leave(): Promise<void> {
    this.#detach()
    await this.#source.return()
  }

  /** The run itself: never throws, but leaves result and failure behind. */
  async *#run(open: Open, outer: AbortSignal | undefined): AsyncGenerator<RunEvent, void, undefined> {
    const { signal } = this.#scope
    const abort = () => this.#stop('run aborted', { cause: outer?.reason })
    outer?.addEventListener('abort', abort)
    if (outer?.aborted) abort()
    const builder = new RunResultBuilder()
    let hasBegun = false
    try {
      for await (const event of open(signal, () => this.#cancelled)) {
        signal.throwIfAborted()
        hasBegun = true
        builder.add(event)
        if (event.type === 'run.completed') this.#result.resolve(builder.build(event))
        yield event
      }
      this.#result.reject(new UsageError('already_read', 'nothing was left of the run: resume it from its first event'))
    } catch (error) {
      this.#result.reject(error)
      this.#failure = { error }
      // A run that nobody let in is refused as by a status.
      if (hasBegun && error instanceof RunFailedError)
        yield { type: 'run.failed', code: error.code, message: error.message }
    } finally {
      outer?.removeEventListener('abort', abort)
    }
  }
}
