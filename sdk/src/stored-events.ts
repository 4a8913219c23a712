/** The events of a stored run, whatever becomes of the connection. Loaded with the first such run. */
import { calls, runPath } from './calls.ts'
import { LookaheadError, RunFailedError } from './errors.ts'
import { backoff, pause, sleep } from './protocol/retry.ts'
import type { RunEvent } from './protocol/runs.ts'
import { delayAfter, retries } from './retry.ts'
import { readRun } from './run-events.ts'
import type { Call, Settings } from './transport.ts'

/** A run that is to be begun by a call, or one that is there, whose events before `next` are known. */
export interface StoredSource {
  call?: Call
  id?: string
  next?: number
}

/** Connections that may be lost one after another, without an event in between, for each of `maxRetries`. */
const LOSSES_PER_RETRY = 5

/**
 * The run's events, the last of them terminal. A run that fails is begun anew when one that is not stored would be (`runEvents`), as another
 * run; but not where somebody ended it, or where it may be what its object was lost of. One that is only read again stays as it is.
 * @param isCancelled whether an abort of the signal is meant for the run too
 */
export async function* storedEvents(
  settings: Settings,
  source: StoredSource,
  signal: AbortSignal,
  isCancelled: () => boolean,
): AsyncGenerator<RunEvent, void, undefined> {
  const again = retries(settings.maxRetries, signal)
  for (let failures = 0; ; failures++) {
    let isOut = false
    try {
      for await (const event of eventsOf(settings, source, signal, isCancelled)) {
        isOut ||= event.type === 'text.delta' || 'reason' in event
        yield event
      }
      return
    } catch (error) {
      const mayBeAnother = source.call && !isOut && error instanceof RunFailedError && !ended.has(error.code)
      if (!mayBeAnother) throw error
      await pause(error, failures, again)
    }
  }
}

const ended: ReadonlySet<string> = new Set(['cancelled', 'interrupted'])

/**
 * One run's events, each once and in order: a connection that is lost is made again, and goes on after the last event that came.
 * Leaving it leaves the run alone.
 */
async function* eventsOf(
  settings: Settings,
  { call, id, next = 0 }: StoredSource,
  signal: AbortSignal,
  isCancelled: () => boolean,
): AsyncGenerator<RunEvent, void, undefined> {
  signal.throwIfAborted()
  // Sent again with the same key, it is the same run.
  const start = call && { ...call, headers: { 'idempotency-key': randomKey() } }
  const again = (): Call => {
    if (id === undefined) return start!
    return { path: runPath(id, `/events${next > 0 ? `?starting_after=${next - 1}` : ''}`) }
  }
  const end = () => {
    if (isCancelled()) void cancel(settings, id, start).catch(() => undefined)
  }
  signal.addEventListener('abort', end)
  try {
    for (let failures = 0; ; failures++)
      try {
        for await (const event of readRun(settings, again(), signal, next)) {
          if (event.type === 'run.started') id = event.run_id
          next++
          failures = 0
          yield event
        }
        return
      } catch (error) {
        const losses = settings.maxRetries * (id === undefined ? 1 : LOSSES_PER_RETRY)
        const ms = !signal.aborted && failures < losses ? delay(error, failures) : undefined
        if (ms === undefined) throw error
        await sleep(ms, signal)
        signal.throwIfAborted()
      }
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** What a stream lost or garbled on its way is still stored. */
function delay(error: unknown, failures: number): number | undefined {
  if (!LookaheadError.isInstance(error) || error.kind === 'run_failed') return undefined
  return error.kind === 'stream_interrupted' ? backoff(failures) : delayAfter(error, failures)
}

/** A run whose id is not known yet is found by its key. */
async function cancel(settings: Settings, id: string | undefined, start: Call | undefined): Promise<void> {
  const { signal } = new AbortController()
  if (id === undefined)
    for await (const event of readRun(settings, start!, signal)) {
      if (event.type === 'run.started') id = event.run_id
      break
    }
  await calls.cancel(settings, signal, id!)
}

/** Not `randomUUID`, which browsers have only in secure contexts. */
const randomKey = (): string => crypto.getRandomValues(new Uint32Array(4)).join('-')
