import { DraftEvent, ErrorBody, VerifyEvent, leavable, readEvents } from '@lookahead/sdk/protocol'
import type { DraftRequestInput, VerifyRequestInput } from '@lookahead/sdk/protocol'
import * as v from 'valibot'

/** `overloaded` may also come inside a stream, `context_busy` while an abandoned call is still ending. */
const TEMPORARY: ReadonlySet<string> = new Set(['unreachable', 'overloaded', 'context_busy'])

/** What the worker's users are told where the backend takes them for strangers: it is not their key that is wrong. */
export const UNAUTHORIZED = "the backend refuses the worker: the worker's operator must set BACKEND_TOKEN"

/** The backend refused, broke off, or could not be reached. */
export class BackendError extends Error {
  override readonly name = 'BackendError'
  /** HTTP status; undefined when there was no answer, or when it failed inside a stream. */
  readonly status: number | undefined
  /** Why, for machines: the backend's own code, or `unreachable`, `unauthorized`, `stream_cut`, `bad_event`, `idle`. */
  readonly code: string
  /** Seconds after which the backend asks to be tried again. */
  readonly retryAfter: number | undefined

  constructor(code: string, message: string, options: { status?: number; retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.status = options.status
    this.retryAfter = options.retryAfter
  }

  /** Whether the same call may succeed later, when nothing was done yet. */
  get retryable(): boolean {
    if (this.code === 'no_draft_model') return false
    return TEMPORARY.has(this.code) || this.status === 429 || this.status === 503
  }
}

export interface BackendOptions {
  /** Where the backend listens; may have a path. */
  baseURL: string
  token?: string | undefined
  /** Sent along as `x-request-id`. */
  requestId?: string | undefined
  fetch?: typeof fetch | undefined
  /** Tries in all for a call the backend is too busy for or cannot be reached. Default 3. */
  tries?: number | undefined
  /** A stream that is read and sends no byte (comments count) for this long has failed. Milliseconds; default 60,000. */
  idleMs?: number | undefined
}

/** How long giving up a context may take. */
const RELEASE_MS = 2_000

/** The longest a `Retry-After` is waited for, in seconds. */
const MAX_RETRY_AFTER = 5

type Events<Event> = AsyncIterableIterator<Event, void, undefined>

/** The GPU backend: each call is one streaming request whose events are checked as they come. */
export class Backend {
  readonly #options: BackendOptions

  constructor(options: BackendOptions) {
    this.#options = options
  }

  draft(request: DraftRequestInput, signal: AbortSignal): Events<DraftEvent> {
    return this.#leavable('/v1/draft', request, DraftEvent, signal)
  }

  verify(request: VerifyRequestInput, signal: AbortSignal): Events<VerifyEvent> {
    return this.#leavable('/v1/verify', request, VerifyEvent, signal)
  }

  /** Gives up a context. Never fails: a backend that cannot be told will find it idle. */
  async release(contextId: string): Promise<void> {
    const { fetch = globalThis.fetch } = this.#options
    const init = { method: 'DELETE', headers: this.#headers, signal: AbortSignal.timeout(RELEASE_MS) }
    const response = await fetch(this.#url(`/v1/contexts/${contextId}`), init).catch(() => undefined)
    await response?.body?.cancel().catch(() => undefined)
  }

  get #headers(): Record<string, string> {
    const { token, requestId } = this.#options
    return {
      'content-type': 'application/json',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(requestId ? { 'x-request-id': requestId } : {}),
    }
  }

  #url(path: string): string {
    return `${this.#options.baseURL.replace(/\/+$/, '')}${path}`
  }

  #leavable<Event extends { type: string }>(
    path: string,
    request: unknown,
    schema: v.GenericSchema<unknown, Event>,
    signal: AbortSignal,
  ): Events<Event> {
    const left = new AbortController()
    const call = this.#call(path, request, schema, AbortSignal.any([signal, left.signal]))
    return leavable(call, () => left.abort())
  }

  /**
   * One call, after some tries if the backend is busy or away. Only a call that did nothing is repeated.
   * @throws {BackendError}
   */
  async *#call<Event extends { type: string }>(
    path: string,
    request: unknown,
    schema: v.GenericSchema<unknown, Event>,
    signal: AbortSignal,
  ): AsyncGenerator<Event, void, undefined> {
    const { tries = 3 } = this.#options
    for (let attempt = 1; ; attempt++) {
      let begun = false
      try {
        for await (const event of this.#try(path, request, schema, signal)) {
          begun ||= event.type !== 'context'
          yield event
        }
        return
      } catch (error) {
        if (!(error instanceof BackendError && error.retryable) || begun || attempt >= tries) throw error
        await sleep(Math.min(error.retryAfter ?? 0.1 * 2 ** attempt, MAX_RETRY_AFTER) * 1000, signal)
      }
    }
  }

  async *#try<Event extends { type: string }>(
    path: string,
    request: unknown,
    schema: v.GenericSchema<unknown, Event>,
    signal: AbortSignal,
  ): AsyncGenerator<Event, void, undefined> {
    const watchdog = new Watchdog(this.#options.idleMs ?? 60_000, signal)
    try {
      const body = await this.#post(path, request, watchdog.signal)
      for await (const { data } of readEvents(watchdog.watch(body))) {
        const event = v.safeParse(schema, parseJson(data))
        if (!event.success) throw new BackendError('bad_event', 'the backend sent an event of an unknown form')
        const failed = v.safeParse(ErrorBody, event.output)
        if (failed.success) throw new BackendError(failed.output.error.code ?? 'failed', failed.output.error.message)
        yield event.output
        if (event.output.type === 'done') return
      }
      throw new BackendError('stream_cut', 'the backend closed the stream before it was done')
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof BackendError) throw error
      if (watchdog.signal.aborted) throw new BackendError('idle', 'the backend went silent', { cause: error })
      throw new BackendError('stream_cut', 'the connection to the backend broke', { cause: error })
    } finally {
      watchdog.stop()
    }
  }

  async #post(path: string, request: unknown, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    // workerd refuses a `fetch` that is called as a method of something else.
    const { fetch = globalThis.fetch } = this.#options
    let response: Response
    try {
      response = await fetch(this.#url(path), {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify(request),
        signal,
      })
    } catch (cause) {
      throw new BackendError('unreachable', 'the backend cannot be reached', { cause })
    }
    if (response.ok && response.body) return response.body
    if (response.status === 401 || response.status === 403) {
      await response.body?.cancel().catch(() => undefined)
      throw new BackendError('unauthorized', UNAUTHORIZED, { status: response.status })
    }
    const body = v.safeParse(ErrorBody, parseJson(await response.text().catch(() => '')))
    const { code, message } = body.success ? body.output.error : { code: null, message: `HTTP ${response.status}` }
    const retryAfter = Number(response.headers.get('retry-after') ?? NaN)
    throw new BackendError(code ?? `http_${response.status}`, message, {
      status: response.status,
      ...(Number.isFinite(retryAfter) ? { retryAfter } : {}),
    })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @throws the signal's reason, when it aborts first */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      settle()
    }
    const timer = setTimeout(done(resolve), ms)
    const aborted = done(() => reject(signal.reason as Error))
    signal.addEventListener('abort', aborted)
  })
}

/** Aborts when the caller does, or when the backend let itself be waited for too long. */
class Watchdog {
  readonly #silence = new AbortController()
  readonly #ms: number
  readonly signal: AbortSignal
  #timer: ReturnType<typeof setTimeout>

  constructor(ms: number, signal: AbortSignal) {
    this.#ms = ms
    this.signal = AbortSignal.any([signal, this.#silence.signal])
    this.#timer = this.#start()
  }

  /** The body, every wait for its next bytes watched; the time in which no one reads is not the backend's. */
  watch(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader()
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          this.stop()
          this.#timer = this.#start()
          const { done, value } = await reader.read().finally(() => this.stop())
          if (done) controller.close()
          else controller.enqueue(value)
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    )
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#silence.abort(), this.#ms)
  }
}
