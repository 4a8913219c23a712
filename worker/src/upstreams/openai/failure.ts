/** What went wrong at an OpenAI-compatible server, in our words: what it said stands in the cause, for the log. */
import { parseRetryAfter } from '@lookahead/sdk/protocol'
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai/core/error'
import { UpstreamError } from '../../lookahead/upstream.ts'

export type Role = 'target' | 'draft' | 'judge'

const TOO_LONG = /context.{0,20}(length|window|size)|max_model_len|maximum.{0,20}(length|tokens)|too long/i

/** Those that may pass. 408 and 409 are retried by OpenAI's client too. */
const TEMPORARY: ReadonlySet<number> = new Set([408, 409, 429, 500, 502, 503, 504])

export function failure(role: Role, error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error
  if (error instanceof APIConnectionTimeoutError)
    return new UpstreamError('unreachable', `the ${role} does not answer`, { retryable: true, cause: error })
  if (error instanceof APIConnectionError)
    return new UpstreamError('unreachable', `the ${role} cannot be reached`, { retryable: true, cause: error })
  if (error instanceof APIError) return refusal(role, error)
  return new UpstreamError('stream_cut', `the connection to the ${role} broke`, { retryable: true, cause: error })
}

/** With a status, or without one where the failure came inside a stream. */
function refusal(role: Role, error: APIError): UpstreamError {
  const status = typeof error.status === 'number' ? error.status : undefined
  const { code, meaning } = reason(role, status, error.message)
  const retryAfterMs = parseRetryAfter(error.headers?.get('retry-after') ?? null)
  return new UpstreamError(code, meaning, {
    retryable: status === undefined || TEMPORARY.has(status),
    retryAfterMs,
    ...(status !== undefined && { status }),
    cause: error.message,
  })
}

function reason(role: Role, status: number | undefined, said: string): { code: string; meaning: string } {
  if (status === 401 || status === 403)
    return {
      // Only the target's door is everybody's: a draft that is refused costs speed alone.
      code: role === 'target' ? 'unauthorized' : `${role}_unauthorized`,
      meaning: `the ${role} refuses the worker: the worker's operator must set ${role.toUpperCase()}_API_KEY`,
    }
  if (status === 429) return { code: 'overloaded', meaning: `the ${role} has too much to do: try again shortly` }
  if (status === 400 || status === 413 || status === 422)
    return TOO_LONG.test(said)
      ? { code: 'context_length_exceeded', meaning: `the text is longer than the ${role} can hold` }
      : { code: 'invalid_request', meaning: `the ${role} refuses this request` }
  if (status === 404)
    return {
      code: 'not_found',
      meaning: `the ${role} has no such model or endpoint: the worker's operator must look at ${role.toUpperCase()}_URL and ${role.toUpperCase()}_MODEL`,
    }
  if (status !== undefined) return { code: `http_${status}`, meaning: `the ${role} failed: HTTP ${status}` }
  return { code: 'failed', meaning: `the ${role} failed` }
}
