/** A run that failed, as an error of OpenAI's API. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'

/** HTTP statuses of the codes of `run.failed`; 502 for all others, since it is the engine that failed. */
const statuses: Record<string, number> = {
  invalid_request: 400,
  context_length_exceeded: 400,
  overloaded: 429,
  internal_error: 500,
  target_unavailable: 503,
}

/** Clients that retry by themselves wait so long for an engine that is busy or away. */
const RETRY_AFTER_SECONDS = 2

export function failure({ code, message }: Extract<RunEvent, { type: 'run.failed' }>): ProtocolError {
  const status = statuses[code] ?? 502
  const retryAfter = status === 429 || status === 503 ? { retryAfter: RETRY_AFTER_SECONDS } : {}
  return new ProtocolError(status, code, message, retryAfter)
}
