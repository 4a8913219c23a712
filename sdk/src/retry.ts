/** Which failures the client meets by trying again, and how long it waits. */
import { LookaheadError } from './errors.ts'
import { backoff } from './protocol/retry.ts'
import type { Retries } from './protocol/retry.ts'

/** A server that asks for more than this is not waited for: the error, with its `retryAfterMs`, goes to the caller. */
const MAX_RETRY_AFTER_MS = 60_000

/** Up to `maxRetries` of those that may help, after what `Retry-After` says, else as `backoff` has it. */
export function retries(maxRetries: number, signal: AbortSignal): Retries {
  return { signal, delay: (error, failures) => (failures < maxRetries ? delayAfter(error, failures) : undefined) }
}

export function delayAfter(error: unknown, failures: number): number | undefined {
  if (!LookaheadError.isInstance(error) || !error.retryable) return undefined
  if (error.kind === 'api' && error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= MAX_RETRY_AFTER_MS ? error.retryAfterMs : undefined
  }
  return backoff(failures)
}
