import { LookaheadError } from './errors.ts'

const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 8_000
/** A server that asks for more than this is not waited for: the error, with its `retryAfterMs`, goes to the caller. */
const MAX_RETRY_AFTER_MS = 60_000

/**
 * Runs `attempt` until it succeeds, fails for good, or has been repeated `maxRetries` times.
 * Waits as `Retry-After` says, else 0.5 s · 2ⁿ up to 8 s, less up to a quarter at random.
 */
export async function retry<T>(maxRetries: number, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      signal.throwIfAborted()
      return await attempt()
    } catch (error) {
      const delay = failures < maxRetries ? retryDelay(error, failures) : undefined
      if (delay === undefined || signal.aborted) throw error
      await sleep(delay, signal)
    }
  }
}

function retryDelay(error: unknown, failures: number): number | undefined {
  if (!LookaheadError.isInstance(error) || !error.retryable) return undefined
  if (error.kind === 'api' && error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= MAX_RETRY_AFTER_MS ? error.retryAfterMs : undefined
  }
  return Math.min(FIRST_DELAY_MS * 2 ** failures, MAX_DELAY_MS) * (1 - Math.random() / 4)
}

/** Ends early, without an error, when the signal aborts. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
  })
}

/** `Retry-After` is a number of seconds or a date. */
export function parseRetryAfter(header: string | null): number | undefined {
  if (!header) return undefined
  const ms = Number.isFinite(Number(header)) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
