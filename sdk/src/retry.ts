/** Which failures the client meets by trying again, and how long it waits. */
import { LookaheadError } from './errors.ts'
import type { Retries } from './protocol/retry.ts'

const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 8_000
/** A server that asks for more than this is not waited for: the error, with its `retryAfterMs`, goes to the caller. */
const MAX_RETRY_AFTER_MS = 60_000

/** Up to `maxRetries` of those that may help, after what `Retry-After` says, else 0.5 s · 2ⁿ up to 8 s, less up to a quarter at random. */
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

export const backoff = (failures: number): number =>
  Math.min(FIRST_DELAY_MS * 2 ** failures, MAX_DELAY_MS) * (1 - Math.random() / 4)
