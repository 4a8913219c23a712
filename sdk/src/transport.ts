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

/** A path below the base URL; with a body of JSON it is posted. */
export interface Call {
  path: string
  body?: string
}

/**
 * One attempt at a JSON answer. What has the form asked for is the answer, whatever its status.
 */
export async function fetchJson<const Schema extends v.GenericSchema>(
  settings: Settings,
  path: string,
  schema: Schema,
  signal: AbortSignal,
): Promise<v.InferOutput<Schema>> {
  const patience = new Patience(signal)
  const read = send(settings, { path }, patience.signal).then(
    async (answer) => [answer, await readJson(answer)] as const,
  )
  const [response, json] = await patience.wait(read, 'headers', settings.timeoutMs)
  const parsed = v.safeParse(schema, json)
  if (parsed.success) return parsed.output
  if (!response.ok) throw apiError(response, json)
  throw new ApiError(response.status, 'malformed_answer', `${path} answered with something else than expected`, {
    requestId: requestIdOf(response),
  })
}

/**
 * One attempt at a streamed answer, whose body fails when no bytes come for `idleTimeoutMs`.
 * `signal` must abort with the error that the reader should see.
 */
export async function fetchStream(settings: Settings, call: Call, signal: AbortSignal) {
  const patience = new Patience(signal)
  const answer = send(settings, call, patience.signal).then(async (response) => {
    if (!response.ok) throw apiError(response, await readJson(response))
    return response
  })
  const response = await patience.wait(answer, 'headers', settings.timeoutMs)
  patience.requestId = requestIdOf(response)
  const body = impatient(response.body ?? new Blob([]).stream(), patience, settings.idleTimeoutMs)
  return { requestId: patience.requestId, body }
}

async function send(settings: Settings, { path, body }: Call, signal: AbortSignal): Promise<Response> {
  // Called as a plain function: some runtimes refuse a fetch whose `this` is another object.
  const { fetch } = settings
  const init =
    body === undefined
      ? { headers: settings.headers }
      : { method: 'POST', headers: { ...settings.headers, 'content-type': 'application/json' }, body }
  try {
    const response = await fetch(settings.baseURL + path, { ...init, signal })
    // Not every fetch listens to its signal.
    if (signal.aborted) await response.body?.cancel()
    return response
  } catch (cause) {
    throw signal.aborted ? signal.reason : new ConnectionError(`cannot reach ${settings.baseURL}`, { cause })
  }
}

const requestIdOf = (response: Response) => response.headers.get('x-request-id') ?? undefined

const readJson = (response: Response): Promise<unknown> => response.json().catch(() => undefined)

function apiError(response: Response, json: unknown): ApiError {
  const body = v.safeParse(ErrorBody, json)
  const { code, message, param } = body.success ? body.output.error : {}
  return new ApiError(response.status, code ?? 'unknown', message ?? `the server answered ${response.status}`, {
    param: param ?? null,
    requestId: requestIdOf(response),
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
  /** Of the answer, once there is one. */
  requestId: string | undefined
  readonly #timeout = new AbortController()

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#timeout.signal])
  }

  /** Settles like `promise`, or rejects with the signal's reason when that comes first. */
  wait<T>(promise: Promise<T>, code: TimeoutError['code'], ms: number): Promise<T> {
    const { signal, requestId } = this
    return new Promise<T>((resolve, reject) => {
      const abort = () => reject(signal.reason)
      const timer = setTimeout(() => this.#timeout.abort(new TimeoutError(code, ms, { requestId })), ms)
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
