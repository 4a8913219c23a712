/** Set on every error of this package, so that errors of another installed copy are recognised too. */
const marker = Symbol.for('lookahead.error')

export interface LookaheadErrorOptions {
  /** The server's `x-request-id`, where an answer came. */
  requestId?: string | undefined
  cause?: unknown
}

/**
 * What every failure of the client is. Tell the kinds apart by {@link LookaheadError.kind}, the reasons by
 * {@link LookaheadError.code}; `instanceof` fails where two copies of the package meet, `isInstance` does not.
 *
 * @example
 * catch (error) {
 *   if (LookaheadError.isInstance(error) && error.kind === 'api' && error.status === 429) …
 * }
 */
export abstract class LookaheadError extends Error {
  abstract readonly kind: LookaheadFailure['kind']
  /** Machine-readable reason; for `api` and `run_failed` the server's own. */
  abstract readonly code: string
  /** Whether the same request may succeed when it is sent again. */
  abstract readonly retryable: boolean
  readonly requestId: string | undefined
  readonly [marker] = true

  constructor(message: string, options: LookaheadErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.requestId = options.requestId
  }

  static isInstance(value: unknown): value is LookaheadFailure {
    return typeof value === 'object' && value !== null && marker in value
  }
}

/** Every error of this package, as a union over `kind`. */
export type LookaheadFailure =
  | UsageError
  | ApiError
  | ConnectionError
  | TimeoutError
  | StreamInterruptedError
  | RunFailedError
  | AbortedError

/**
 * A mistake in the calling code, told before anything is sent: an option, a request or a signal that cannot be
 * (`invalid_option`, `param` names it), or a second reader of one run (`already_read`).
 */
export class UsageError extends LookaheadError {
  readonly kind = 'usage'
  override readonly name = 'UsageError'
  readonly code: 'invalid_option' | 'already_read'
  readonly param: string | undefined
  readonly retryable = false

  constructor(code: UsageError['code'], message: string, options: LookaheadErrorOptions & { param?: string } = {}) {
    super(message, options)
    this.code = code
    this.param = options.param
  }
}

const retryableStatus = (status: number) => status === 408 || status === 409 || status === 429 || status >= 500

/** Codes of failures that the same request would meet again. */
const lasting: ReadonlySet<string> = new Set(['invalid_request', 'context_length_exceeded', 'backend_unauthorized'])

/** The server answered with a status outside 200–299, or with something else than was asked for (`malformed_answer`). */
export class ApiError extends LookaheadError {
  readonly kind = 'api'
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string
  /** The request field at fault, as a dotted path; `null` when no single field is. */
  readonly param: string | null
  readonly retryable: boolean
  /** What the server's `Retry-After` asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(
    status: number,
    code: string,
    message: string,
    options: LookaheadErrorOptions & { param?: string | null; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options)
    this.status = status
    this.code = code
    this.param = options.param ?? null
    this.retryAfterMs = options.retryAfterMs
    this.retryable = retryableStatus(status) && !lasting.has(code)
  }
}

/** No answer came: the server could not be reached, or the connection broke before the headers. */
export class ConnectionError extends LookaheadError {
  readonly kind = 'connection'
  override readonly name = 'ConnectionError'
  readonly code = 'connection_error'
  readonly retryable = true
}

/** The server was silent for longer than `timeoutMs` (code `headers`) or `idleTimeoutMs` (code `idle`). */
export class TimeoutError extends LookaheadError {
  readonly kind = 'timeout'
  override readonly name = 'TimeoutError'
  readonly code: 'headers' | 'idle'
  readonly retryable = true

  constructor(code: 'headers' | 'idle', ms: number, options: LookaheadErrorOptions = {}) {
    super(code === 'headers' ? `no answer within ${ms} ms` : `no bytes for ${ms} ms`, options)
    this.code = code
  }
}

/** The stream broke off before its terminal event, so its text may be cut anywhere. */
export class StreamInterruptedError extends LookaheadError {
  readonly kind = 'stream_interrupted'
  override readonly name = 'StreamInterruptedError'
  /** The stream ended, its connection broke, an event in it could not be understood, or events were lost, doubled or mixed up. */
  readonly code: 'ended_early' | 'connection_lost' | 'malformed_event' | 'out_of_order'
  readonly retryable: boolean
  /** The last event that arrived whole. */
  readonly lastEventId: string | undefined

  constructor(
    code: StreamInterruptedError['code'],
    lastEventId: string | undefined,
    options: LookaheadErrorOptions = {},
  ) {
    super(`interrupted after event ${lastEventId ?? 'none'}: ${code}`, options)
    this.code = code
    this.lastEventId = lastEventId
    this.retryable = code !== 'malformed_event'
  }
}

/** The server ended the run with `run.failed`. */
export class RunFailedError extends LookaheadError {
  readonly kind = 'run_failed'
  override readonly name = 'RunFailedError'
  readonly code: string
  readonly retryable: boolean

  constructor(code: string, message: string, options: LookaheadErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.retryable = !lasting.has(code)
  }
}

/** The caller's signal, `cancel()` or leaving the loop ended the run. */
export class AbortedError extends LookaheadError {
  readonly kind = 'aborted'
  override readonly name = 'AbortedError'
  readonly code = 'aborted'
  readonly retryable = false
}
