/** A run that failed before its answer had a status, as the error that answers it. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'

/** HTTP statuses of the codes of `run.failed`; 502 for all others, since it is the engine that failed. */
const statuses: Record<string, number> = {
  invalid_request: 400,
  context_length_exceeded: 400,
  overloaded: 429,
  target_unavailable: 503,
}

/** Whoever is refused may come back after so many seconds, drawn anew for each: they shall not all come at once. */
const RETRY_SECONDS = [1, 4] as const

export function failure({ code, message }: Extract<RunEvent, { type: 'run.failed' }>): ProtocolError {
  const status = statuses[code] ?? 502
  const retryAfter = status === 429 || status === 503 ? { retryAfter: between(...RETRY_SECONDS) } : {}
  return new ProtocolError(status, code, message, retryAfter)
}

/** A whole number from `least` to `most`. */
const between = (least: number, most: number): number => least + Math.floor(Math.random() * (most - least + 1))
