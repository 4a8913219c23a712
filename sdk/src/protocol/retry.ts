/** Trying again, without knowing what: who calls says which failures are worth it, and how long to wait. */
export interface Retries {
  /** Ends the waiting. */
  signal: AbortSignal
  /** Milliseconds to wait after a failure, `failures` others having come before; undefined where it is final. */
  delay: (error: unknown, failures: number) => number | undefined
}

/** What the first attempt gives that does not fail. @throws the failure that was final */
export async function retry<T>(attempt: () => Promise<T>, retries: Retries): Promise<T> {
  for (let failures = 0; ; failures++)
    try {
      retries.signal.throwIfAborted()
      return await attempt()
    } catch (error) {
      await pause(error, failures, retries)
    }
}

/** Waits as long as this failure asks for. @throws the failure, where it is final */
export async function pause(error: unknown, failures: number, { signal, delay }: Retries): Promise<void> {
  const ms = signal.aborted ? undefined : delay(error, failures)
  if (ms === undefined) throw error
  await sleep(ms, signal)
}

/** How long to wait where nobody says: 500 ms · 2ⁿ, `mostMs` at most, less up to a quarter at random. Milliseconds. */
export const backoff = (failures: number, mostMs = 8_000): number =>
  Math.min(500 * 2 ** failures, mostMs) * (1 - Math.random() / 4)

/** Ends early, without an error, when the signal aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
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

/** `Retry-After`, a number of seconds or a date, in milliseconds. */
export function parseRetryAfter(header: string | null): number | undefined {
  if (!header) return undefined
  const ms = Number.isFinite(Number(header)) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
