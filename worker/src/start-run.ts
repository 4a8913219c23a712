/** From a request, in whatever dialect it came, to a run that goes on. */
import type { Leavable, RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import { Controllers, cycle } from './lookahead/index.ts'
import { logLine } from './log.ts'
import type { App } from './settings.ts'
import { upstreamOf } from './upstreams/index.ts'

/** workerd notices that a client has left when it next writes, so a silent stream must not stay silent for long. */
export const HEARTBEAT_MS = 2_000

/** What this isolate has learned about looking ahead. A new isolate learns anew. */
const controllers = new Controllers()

/**
 * Starts a run on the engine that the worker is set up for. Leaving its events stops everything down to the engine, and
 * so does the end of the client's connection: then they end without an error.
 * @throws {ProtocolError} 500 `not_configured`
 */
export function startRun(request: RunRequest, c: Context<App>): AsyncIterator<RunEvent, void, undefined> {
  const { requestId } = c.var
  const { signal } = c.req.raw
  const events = cycle(upstreamOf(c.env, requestId), request, {
    runId: requestId,
    signal,
    controller: controllers.for(request),
    log: (trouble) => logLine({ ...trouble, request_id: requestId }),
  })
  const over = Promise.withResolvers<void>()
  // Without waitUntil the runtime drops our code the moment the client leaves, before it can tell the engine.
  c.executionCtx.waitUntil(over.promise)
  return untilGone(events, signal, over.resolve)
}

/** The same events; when the client is gone there are no more. @param over called when nothing is left to be done */
function untilGone<Event>(
  events: Leavable<Event>,
  gone: AbortSignal,
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
        if (!gone.aborted) throw error
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
