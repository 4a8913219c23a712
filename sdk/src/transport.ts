import * as v from 'valibot'
import { ApiError, ConnectionError, TimeoutError } from './errors.ts'
import { ErrorBody } from './protocol/errors.ts'
import { parseRetryAfter } from './retry.ts'

/** A client's options, completed. */
export interface Settings {
  /** Ends in `/`. */
  baseURL: string
  headers: Record<string, string>
  fetch: typeof globalThis.fetch
  maxRetries: number
  timeoutMs: number
  idleTimeoutMs: number
}

/** A path below the base URL; with a body it is posted. */
export interface Call {
  path: string
  body?: unknown
}

/** One attempt at a JSON answer; `undefined` where it is none. `signal` must abort with the error that the caller should see. */
export async function fetchJson(settings: Settings, call: Call, signal: AbortSignal): Promise<unknown> {
  const patience = new Patience(signal)
  const json: Promise<unknown> = send(settings, call, patience.signal).then((response) =>
    response.json().catch(() => undefined),
  )
  return patience.wait(json, 'headers', settings.timeoutMs)
}

/** One attempt at a streamed answer, whose body fails when no bytes come for `idleTimeoutMs`. */
export async function fetchStream(settings: Settings, call: Call, signal: AbortSignal) {
  const patience = new Patience(signal)
  const response = await patience.wait(send(settings, call, patience.signal), 'headers', settings.timeoutMs)
  const requestId = response.headers.get('x-request-id') ?? undefined
  return { requestId, body: impatient(response.body ?? new Blob([]).stream(), patience, settings.idleTimeoutMs) }
}

async function send(settings: Settings, { path, body }: Call, signal: AbortSignal): Promise<Response> {
  // Called as a plain function: some runtimes refuse a fetch whose `this` is another object.
  const { fetch } = settings
  const init =
    body === undefined
      ? { headers: settings.headers }
      : {
          method: 'POST',
          headers: { ...settings.headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }
  const response = await fetch(settings.baseURL + path, { ...init, signal }).catch((cause: unknown) => {
    throw signal.aborted ? signal.reason : new ConnectionError(`cannot reach ${settings.baseURL}`, { cause })
  })
  if (!response.ok) throw await apiError(response)
  return response
}

async function apiError(response: Response): Promise<ApiError> {
  const body = v.safeParse(ErrorBody, await response.json().catch(() => undefined))
  const { code, message, param } = body.success ? body.output.error : {}
  return new ApiError(response.status, code ?? 'unknown', message ?? `the server answered ${response.status}`, {
    param: param ?? null,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after')),
  })
}

/** The same bytes. Time counts only while a read is waiting, so a slow reader never looks like a silent server. */
function impatient(body: ReadableStream<Uint8Array>, patience: Patience, idleMs: number): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await patience.wait(reader.read(), 'idle', idleMs)
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

/** The signal of one attempt: aborted by the caller's, or when a wait takes too long. */
class Patience {
  readonly signal: AbortSignal
  readonly #timeout = new AbortController()

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#timeout.signal])
  }

  /** Settles like `promise`, or rejects with the signal's reason when that comes first. */
  wait<T>(promise: Promise<T>, code: TimeoutError['code'], ms: number): Promise<T> {
    const { signal } = this
    return new Promise<T>((resolve, reject) => {
      const abort = () => reject(signal.reason)
      const timer = setTimeout(() => this.#timeout.abort(new TimeoutError(code, ms)), ms)
      const settle = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
      }
      signal.addEventListener('abort', abort)
      if (signal.aborted) abort()
      promise.then(resolve, reject).finally(settle)
    })
  }
}
