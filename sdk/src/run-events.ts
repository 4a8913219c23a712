import * as v from 'valibot'
import { LookaheadError, RunFailedError, StreamInterruptedError } from './errors.ts'
import { pause } from './protocol/retry.ts'
import { RunEvent } from './protocol/runs.ts'
import { isNext, readEvents } from './protocol/sse.ts'
import { retries } from './retry.ts'
import { fetchStream } from './transport.ts'
import type { Call, Settings } from './transport.ts'

/**
 * A run's events up to `run.completed`; for `run.failed` it throws. A failed attempt is repeated until its first event has come, and a run that
 * says itself that it failed until any of its text is out, or a ruling on it: then `run.started` comes again.
 */
export async function* runEvents(settings: Settings, call: Call, signal: AbortSignal): AsyncGenerator<RunEvent, void> {
  const again = retries(settings.maxRetries, signal)
  for (let failures = 0; ; failures++) {
    let hasBegun = false
    let isOut = false
    try {
      signal.throwIfAborted()
      for await (const event of readRun(settings, call, signal)) {
        hasBegun = true
        isOut ||= event.type === 'text.delta' || 'reason' in event
        yield event
      }
      return
    } catch (error) {
      if (isOut || (hasBegun && !(error instanceof RunFailedError))) throw error
      await pause(error, failures, again)
    }
  }
}

/** One attempt. @param first the number of the event that must come first */
export async function* readRun(
  settings: Settings,
  call: Call,
  signal: AbortSignal,
  first = 0,
): AsyncGenerator<RunEvent, void> {
  const { body, requestId, status } = await fetchStream(settings, call, signal)
  // The terminal event is among those that are known.
  if (status === 204 && first > 0) return
  let lastEventId = first > 0 ? String(first - 1) : undefined
  let count = first
  const interrupted = (code: StreamInterruptedError['code'], options = {}) =>
    new StreamInterruptedError(code, lastEventId, { requestId, ...options })
  try {
    for await (const { data, id } of readEvents(body)) {
      if (!isNext(id, count++)) throw interrupted('out_of_order')
      const event = parseRunEvent(data)
      if (event === 'malformed') throw interrupted('malformed_event')
      lastEventId = id ?? lastEventId
      if (event.type === 'run.failed') throw new RunFailedError(event.code, event.message, { requestId })
      yield event
      if (event.type === 'run.completed') return
    }
  } catch (cause) {
    throw LookaheadError.isInstance(cause) ? cause : interrupted('connection_lost', { cause })
  }
  throw interrupted('ended_early')
}

const knownTypes: ReadonlySet<unknown> = new Set(RunEvent.options.map((option) => option.entries.type.literal))

/** A newer server may send types of events that this client does not know: they are passed on as they are. */
function parseRunEvent(json: string): RunEvent | 'malformed' {
  let data: { type?: unknown } | null
  try {
    data = JSON.parse(json) as typeof data
  } catch {
    return 'malformed'
  }
  const event = v.safeParse(RunEvent, data)
  if (event.success) return event.output
  return typeof data?.type === 'string' && !knownTypes.has(data.type) ? (data as RunEvent) : 'malformed'
}
