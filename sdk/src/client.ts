import { readOptions, readParams, readSignal, readSource } from './options.ts'
import type { CallOptions, LookaheadOptions, ResumeOptions } from './options.ts'
import type { Answer, Calls } from './calls.ts'
import type { Health } from './protocol/health.ts'
import type { Models } from './protocol/models.ts'
import type { RunRequestInput } from './protocol/run-request.ts'
import type { StoredRun } from './protocol/stored-run.ts'
import { runEvents } from './run-events.ts'
import { RunStream } from './run-stream.ts'
import type { Open } from './run-stream.ts'
import type { StoredSource } from './stored-events.ts'
import type { Settings } from './transport.ts'

/**
 * Client of a Lookahead worker.
 *
 * @example
 * const client = new Lookahead({ baseURL: 'http://127.0.0.1:8787' })
 * const run = client.runs.stream({ messages: [{ role: 'user', content: 'What is 17 times 23?' }] })
 * for await (const event of run) {
 *   if (event.type === 'text.delta') process.stdout.write(event.text)
 * }
 * const { answer, stats } = await run.final()
 */
export class Lookahead {
  readonly #settings: Settings

  /** @throws {UsageError} `invalid_option`, naming the option at fault. */
  constructor(options: LookaheadOptions) {
    this.#settings = readOptions(options)
  }

  readonly runs = {
    /**
     * Asks a question. Nothing is sent before the returned stream is read. With `store: true` a lost connection is made again, and nothing
     * of the run is lost or comes twice.
     * @throws {UsageError} `invalid_option`, for a request or signal that is none.
     */
    stream: (params: RunRequestInput, options?: CallOptions): RunStream => {
      const call = { path: 'v1/runs', body: readParams(params) }
      const open: Open = params.store ? this.#stored({ call }) : (signal) => runEvents(this.#settings, call, signal)
      return new RunStream(open, readSignal(options))
    },

    /**
     * Reads a stored run on, or again.
     * @param options.startingAfter the number of the last event that is known. Default: none, so that `final()` has the whole run.
     * @throws {UsageError} `invalid_option`
     */
    resume: (id: string, options: ResumeOptions = {}): RunStream =>
      new RunStream(this.#stored(readSource(id, options.startingAfter)), readSignal(options)),

    /** How a stored run is, and what it has written so far. */
    retrieve: (id: string, options?: CallOptions): Promise<StoredRun> => this.#call('retrieve', options, id),

    /** Ends a stored run, and tells how it is then. One that is over stays as it is. */
    cancel: (id: string, options?: CallOptions): Promise<StoredRun> => this.#call('cancel', options, id),
  }

  readonly models = {
    /** The model that can be asked, by each of its names. */
    list: (options?: CallOptions): Promise<Models> => this.#call('models', options),
  }

  /** How the worker is. That it is degraded is an answer: this fails only when no worker answers. */
  health(options?: CallOptions): Promise<Health> {
    return this.#call('health', options)
  }

  async #call<Name extends keyof Calls>(name: Name, options?: CallOptions, id = ''): Promise<Answer<Name>> {
    const signal = readSignal(options)
    const { calls } = await import('./calls.ts')
    return calls[name](this.#settings, signal, id) as Promise<Answer<Name>>
  }

  #stored(run: StoredSource): Open {
    const settings = this.#settings
    return async function* (signal, isCancelled) {
      const { storedEvents } = await import('./stored-events.ts')
      yield* storedEvents(settings, run, signal, isCancelled)
    }
  }
}
