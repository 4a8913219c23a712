/** What went wrong at an OpenAI-compatible server, in our words: what it said stands in the cause, for the log. */
import { UpstreamError } from '../../lookahead/upstream.ts'

export type Role = 'target' | 'draft' | 'judge'

const TOO_LONG = /context.{0,20}(length|window|size)|max_model_len|maximum.{0,20}(length|tokens)|too long/i

/** Those that may pass, as OpenAI's own client has it, and Cloudflare's where it does not reach a server. */
const TEMPORARY = /^(408|409|429|5(0[0234]|2[0-4]|30))$/

/** Of these, what a server says that is not there now, or has too much to do. */
const AWAY = /^(429|5(0[234]|2[0-4]|30))$/
export const isAway = ({ code, status }: UpstreamError): boolean => code === 'unreachable' || AWAY.test(`${status}`)

/** The same, after all the time that there is for it. */
export function asFinal({ code, message, retryAfterMs, status, host, cause }: UpstreamError): UpstreamError {
  const failed = new UpstreamError(code, message, { retryAfterMs, cause, ...(status !== undefined && { status }) })
  failed.host = host
  return failed
}

export const tooLong = (role: Role): UpstreamError =>
  new UpstreamError('context_length_exceeded', `the text is longer than the ${role} can hold`)

export const silent = (role: Role): UpstreamError =>
  new UpstreamError('unreachable', `the ${role} does not answer`, { retryable: true })

/** What broke a call off. */
export function failure(role: Role, code: 'unreachable' | 'stream_cut', cause: unknown): UpstreamError {
  if (cause instanceof UpstreamError) return cause
  const what = code === 'unreachable' ? `the ${role} cannot be reached` : `the connection to the ${role} broke`
  return new UpstreamError(code, what, { retryable: true, cause })
}

/** @param status undefined where it came inside a stream */
export function refusal(
  role: Role,
  said: string | undefined,
  { status, retryAfterMs }: { status?: number; retryAfterMs?: number | undefined } = {},
): UpstreamError {
  const { code, meaning } = reason(role, status, said ?? '')
  return new UpstreamError(code, meaning, {
    retryable: status === undefined || TEMPORARY.test(`${status}`),
    retryAfterMs,
    ...(status !== undefined && { status }),
    cause: said,
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
