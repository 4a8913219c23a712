import type * as v from 'valibot'
import { AbortedError } from './errors.ts'
import { readOptions, readParams, readSignal } from './options.ts'
import type { CallOptions, LookaheadOptions } from './options.ts'
import { Health } from './protocol/health.ts'
import { Models } from './protocol/models.ts'
import { retry } from './protocol/retry.ts'
import type { RunRequestInput } from './protocol/run-request.ts'
import { retries } from './retry.ts'
import { runEvents } from './run-events.ts'
import { RunStream } from './run-stream.ts'
import { fetchJson } from './transport.ts'
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
     * Asks a question. Nothing is sent before the returned stream is read.
     * @throws {UsageError} `invalid_option`, for a request or signal that is none.
     */
    stream: (params: RunRequestInput, options?: CallOptions): RunStream => {
      const call = { path: 'v1/runs', body: readParams(params) }
      return new RunStream((scope) => runEvents(this.#settings, call, scope), readSignal(options))
    },
  }

  readonly models = {
    /** The model that can be asked, by each of its names. */
    list: (options?: CallOptions): Promise<Models> => this.#get('v1/models', Models, options),
  }

  /** How the worker is. That it is degraded is an answer: this fails only when no worker answers. */
  health(options?: CallOptions): Promise<Health> {
    return this.#get('health', Health, options)
  }

  async #get<const Schema extends v.GenericSchema>(
    path: string,
    schema: Schema,
    options?: CallOptions,
  ): Promise<v.InferOutput<Schema>> {
    const signal = readSignal(options) ?? new AbortController().signal
    try {
      const attempt = () => fetchJson(this.#settings, path, schema, signal)
      return await retry(attempt, retries(this.#settings.maxRetries, signal))
    } catch (error) {
      throw signal.aborted ? new AbortedError('the call was aborted', { cause: signal.reason }) : error
    }
  }
}
