import * as v from 'valibot'
import { AbortedError, ApiError } from './errors.ts'
import { Models } from './protocol/models.ts'
import type { RunRequestInput } from './protocol/runs.ts'
import { retry } from './retry.ts'
import { runEvents } from './run-events.ts'
import { RunStream } from './run-stream.ts'
import { fetchJson } from './transport.ts'
import type { Settings } from './transport.ts'

export interface LookaheadOptions {
  /** Where the worker is, for example `https://lookahead.example.workers.dev`. A path is kept. */
  baseURL: string
  /** Sent as `Authorization: Bearer …`. */
  apiKey?: string | undefined
  /** Default: the runtime's own, looked up at each call. */
  fetch?: typeof globalThis.fetch | undefined
  /**
   * How often a request is sent again after 408, 409, 429, 5xx, a lost connection or a timeout; never once the first
   * event of a run has arrived. Default 2.
   */
  maxRetries?: number | undefined
  /** Time until the response headers, in milliseconds. Default 60,000. */
  timeoutMs?: number | undefined
  /** Time without a byte, comments included, after which a stream counts as dead, in milliseconds. Default 60,000. */
  idleTimeoutMs?: number | undefined
}

export interface CallOptions {
  signal?: AbortSignal | undefined
}

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

  constructor(options: LookaheadOptions) {
    this.#settings = {
      baseURL: options.baseURL.replace(/\/*$/, '/'),
      headers: options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {},
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      maxRetries: options.maxRetries ?? 2,
      timeoutMs: options.timeoutMs ?? 60_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    }
  }

  readonly runs = {
    /** Asks a question. Nothing is sent before the returned stream is read. */
    stream: (params: RunRequestInput, { signal }: CallOptions = {}): RunStream =>
      new RunStream((scope) => runEvents(this.#settings, { path: 'v1/runs', body: params }, scope), signal),
  }

  readonly models = {
    /** The models behind the worker. */
    list: (options?: CallOptions): Promise<Models> => this.#get('v1/models', Models, options),
  }

  /** Whether the worker answers. */
  health(options?: CallOptions): Promise<{ status: string }> {
    return this.#get('health', v.object({ status: v.string() }), options)
  }

  async #get<const Schema extends v.GenericSchema>(
    path: string,
    schema: Schema,
    { signal }: CallOptions = {},
  ): Promise<v.InferOutput<Schema>> {
    const scope = new AbortController()
    const abort = () => scope.abort(new AbortedError('the call was aborted', { cause: signal?.reason }))
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    try {
      const attempt = () => fetchJson(this.#settings, { path }, scope.signal)
      const answer = v.safeParse(schema, await retry(this.#settings.maxRetries, scope.signal, attempt))
      if (answer.success) return answer.output
      throw new ApiError(200, 'malformed_answer', `${path} answered with something else than expected`)
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
}
