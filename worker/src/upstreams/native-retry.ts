/** Asking the GPU backend again: until it answers, or the time that a call has is over, however many tries that takes. */
import { sleep } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../lookahead/upstream.ts'
import type { Away } from '../lookahead/upstream.ts'

/** The longest a `Retry-After` is waited for. */
const MAX_RETRY_AFTER_MS = 5_000
/** A try gets so much time for its headers at least. */
const LEAST_MS = 5_000

export interface Limits {
  /** Of all tries together, by `Date.now()`. */
  deadline: number
  /** The same for a backend that is well and busy: whoever waits gets his turn. */
  busyDeadline: number
  /** Nobody waits for a helper whose stream breaks: the target may be well. */
  isHelper: boolean
  /** Whether a text that was lost, or has to go elsewhere, cannot be sent by this call: it goes on from another one. */
  follows: () => boolean
  /** Whether the backend is left for this, where there are others. */
  isAway: (error: UpstreamError) => boolean
  /** Leaves it. @returns whether another one is asked from now on, which does well */
  leave: (error: UpstreamError) => boolean
  signal: AbortSignal
}

const BROKEN: ReadonlySet<string> = new Set(['stream_cut', 'idle'])

/**
 * Repeats a call that did nothing. Text that is out must not come again.
 * @param open begins a try, which has so many milliseconds for its headers
 * @throws {UpstreamError} of the last try
 */
export async function* persistently<Event extends { type: string }>(
  open: (headersMs: number) => AsyncIterable<Event>,
  { deadline, busyDeadline, isHelper, follows, isAway, leave, signal }: Limits,
): AsyncGenerator<Event | Away, void, undefined> {
  for (let failures = 0; ;) {
    let begun = false
    try {
      for await (const event of open(Math.max(LEAST_MS, deadline - Date.now()))) {
        begun ||= event.type !== 'context'
        yield event
      }
      return
    } catch (error) {
      if (begun || !(error instanceof UpstreamError && (error.retryable || isAway(error)))) throw error
      if (isHelper && BROKEN.has(error.code)) throw error
      if (follows() && (error.code === 'context_lost' || isAway(error))) throw error
      if (leave(error)) {
        yield { type: 'away', error, elsewhere: true }
        continue
      }
      const ms = delayAfter(error, failures++)
      if (Date.now() + ms > (error.code === 'overloaded' ? busyDeadline : deadline)) throw error
      yield { type: 'away', error }
      await sleep(ms, signal)
      signal.throwIfAborted()
    }
  }
}

/** As long as the backend asks, else longer each time. Who has waited long is not to wait longer than who comes new. */
function delayAfter({ retryAfterMs }: UpstreamError, failures: number): number {
  const least = 20 * 2 ** failures
  return Math.min(Math.max(retryAfterMs ?? 10 * least, Math.min(least, 1_000)), MAX_RETRY_AFTER_MS)
}
