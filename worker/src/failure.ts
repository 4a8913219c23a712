/** A run that failed before its answer had a status, as the error that answers it. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'

/** HTTP statuses of the codes of `run.failed`; 502 for all others, since it is the engine that failed. */
const statuses = new Map<string, number>(
  Object.entries({
    invalid_request: 400,
    context_length_exceeded: 400,
    overloaded: 429,
    target_unavailable: 503,
  }),
)

/** Whoever is refused may come back after so many seconds, drawn anew for each: they shall not all come at once. */
export const retrySeconds = (least = 1, most = 4): number => least + Math.floor(Math.random() * (most - least + 1))

/** The run has logged it. */
export class RunFailure extends ProtocolError {}

export function failure({ code, message }: Extract<RunEvent, { type: 'run.failed' }>): RunFailure {
  const status = statuses.get(code) ?? 502
  const retryAfter = status === 429 || status === 503 ? { retryAfter: retrySeconds() } : {}
  return new RunFailure(status, code, message, retryAfter)
}
