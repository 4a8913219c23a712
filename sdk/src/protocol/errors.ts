import * as v from 'valibot'

/**
 * The OpenAI error object: the body of every non-2xx answer and the data of every `error` event.
 * @see https://platform.openai.com/docs/guides/error-codes
 */
export const ErrorBody = v.object({
  error: v.object({
    message: v.string(),
    type: v.string(),
    /** The request field at fault, as a dotted path; `null` when no single field is. */
    param: v.nullable(v.string()),
    /** Machine-readable reason, for example `context_lost`. */
    code: v.nullable(v.string()),
    /** The values that the field may have, where they are names. */
    allowed: v.optional(v.array(v.string())),
  }),
})
export type ErrorBody = v.InferOutput<typeof ErrorBody>

export interface ProtocolErrorOptions {
  param?: string
  /** The values that `param` may have, where they are names. */
  allowed?: readonly string[] | undefined
  retryAfter?: number
  cause?: unknown
}

/** A failure with the HTTP status and OpenAI error object that a client should see. Internal messages never go in here. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly status: number
  readonly code: string
  readonly param: string | null
  readonly allowed: readonly string[] | undefined
  /** Seconds after which the same request may succeed; sent as `Retry-After`. */
  readonly retryAfter: number | undefined

  constructor(status: number, code: string, message: string, options: ProtocolErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.status = status
    this.code = code
    this.param = options.param ?? null
    this.allowed = options.allowed
    this.retryAfter = options.retryAfter
  }

  get body(): ErrorBody {
    const type = this.status < 500 ? 'invalid_request_error' : 'server_error'
    const allowed = this.allowed && { allowed: [...this.allowed] }
    return { error: { message: this.message, type, param: this.param, code: this.code, ...allowed } }
  }

  toResponse(): Response {
    const headers = this.retryAfter === undefined ? {} : { 'retry-after': String(this.retryAfter) }
    return Response.json(this.body, { status: this.status, headers })
  }
}

/**
 * Checks data that enters from outside.
 * @throws {ProtocolError} 400 `invalid_request`, naming the first field at fault.
 */
export function parseRequest<const Schema extends v.GenericSchema>(
  schema: Schema,
  data: unknown,
): v.InferOutput<Schema> {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new ProtocolError(400, 'invalid_request', 'the body must be an object')
  // The first is told; a body of a million faults would take seconds to go through.
  const result = v.safeParse(schema, data, { abortEarly: true })
  if (result.success) return result.output
  const issue = result.issues[0]
  const param = v.getDotPath(issue)
  if (!param) throw new ProtocolError(400, 'invalid_request', issue.message)
  throw new ProtocolError(400, 'invalid_request', `${param}: ${reason(issue)}`, { param })
}

/** valibot speaks of keys and of the type `never`, a caller of fields. */
function reason({ message, expected }: v.BaseIssue<unknown>): string {
  if (!message.startsWith('Invalid key')) return message
  return expected === 'never' ? 'is no field of this request' : 'is missing'
}
