/** From a request, in whatever dialect it came, to a run that goes on. */
import type { Leavable, RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import { Controllers, cycle } from './lookahead/index.ts'
import { logLine } from './log.ts'
import type { App } from './settings.ts'
import { upstreamOf } from './upstreams/index.ts'

export interface StartedRun {
  /** Ends without an error when the client leaves; leaving it stops everything down to the engine. */
  events: AsyncIterator<RunEvent, void, undefined>
  /** To be called when the client leaves, for where it is noticed first. */
  leave: () => void
}

/** What this isolate has learned about looking ahead. A new isolate learns anew. */
const controllers = new Controllers()

/**
 * Starts a run on the engine that the worker is set up for.
 * @throws {ProtocolError} 500 `not_configured`
 */
export function startRun(request: RunRequest, c: Context<App>): StartedRun {
  const { requestId } = c.var
  const upstream = upstreamOf(c.env, requestId)
  const left = new AbortController()
  const signal = AbortSignal.any([left.signal, c.req.raw.signal])
  const events = cycle(upstream, request, {
    runId: requestId,
    signal,
    controller: controllers.for(request),
    log: (trouble) => logLine({ ...trouble, request_id: requestId }),
  })
  const over = Promise.withResolvers<void>()
  // Without waitUntil the runtime drops our code the moment the client leaves, before it can tell the engine.
  c.executionCtx.waitUntil(over.promise)
  return { events: untilLeft(events, signal, over.resolve), leave: () => left.abort() }
}

/** The same events; when the client leaves there are no more. @param over called when nothing is left to be done */
function untilLeft<Event>(
  events: Leavable<Event>,
  signal: AbortSignal,
  over: () => void,
): AsyncIterator<Event, void, undefined> {
  return {
    async next() {
      try {
        const result = await events.next()
        if (result.done) over()
        return result
      } catch (error) {
        over()
        if (!signal.aborted) throw error
        return { done: true, value: undefined }
      }
    },
    async return() {
      try {
        return await events.return()
      } finally {
        over()
      }
    },
  }
}
