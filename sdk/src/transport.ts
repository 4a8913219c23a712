import * as v from 'valibot'
import { ApiError, ConnectionError, TimeoutError } from './errors.ts'
import { ErrorBody } from './protocol/errors.ts'
import { parseRetryAfter } from './protocol/retry.ts'
import { Watchdog } from './protocol/watchdog.ts'

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
  /** Sent with it. */
  headers?: Record<string, string>
}

/**
 * One attempt at a streamed answer, whose body fails when no bytes come for `idleTimeoutMs`.
 * `signal` must abort with the error that the reader should see.
 */
export async function fetchStream(settings: Settings, call: Call, signal: AbortSignal) {
  const watchdog = new Watchdog(signal)
  const answer = async () => {
    const response = await send(settings, call, watchdog.signal)
    if (!response.ok) throw apiError(response, await readJson(response))
    return response
  }
  const response = await watchdog.wait(answer, settings.timeoutMs, late(settings))
  const requestId = requestIdOf(response)
  const { idleTimeoutMs } = settings
  const silent = () => new TimeoutError('idle', idleTimeoutMs, { requestId })
  return {
    requestId,
    status: response.status,
    body: watchdog.watch(response.body ?? new Blob([]).stream(), idleTimeoutMs, silent),
  }
}

export const late =
  ({ timeoutMs }: Settings) =>
  () =>
    new TimeoutError('headers', timeoutMs)

export async function send(settings: Settings, { path, body, headers }: Call, signal: AbortSignal): Promise<Response> {
  // Called as a plain function: some runtimes refuse a fetch whose `this` is another object.
  const { fetch } = settings
  const init =
    body === undefined
      ? { headers: settings.headers }
      : { method: 'POST', headers: { ...settings.headers, 'content-type': 'application/json', ...headers }, body }
  try {
    const response = await fetch(settings.baseURL + path, { ...init, signal })
    // Not every fetch listens to its signal.
    if (signal.aborted) await response.body?.cancel()
    return response
  } catch (cause) {
    throw signal.aborted ? signal.reason : new ConnectionError(`cannot reach ${settings.baseURL}`, { cause })
  }
}

export const requestIdOf = (response: Response) => response.headers.get('x-request-id') ?? undefined

export const readJson = (response: Response): Promise<unknown> => response.json().catch(() => undefined)

export function apiError(response: Response, json: unknown): ApiError {
  const body = v.safeParse(ErrorBody, json)
  const { code, message, param } = body.success ? body.output.error : {}
  return new ApiError(response.status, code ?? 'unknown', message ?? `status ${response.status}`, {
    param: param ?? null,
    requestId: requestIdOf(response),
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after')),
  })
}
