/** From a request, in whatever dialect it came, to a run that goes on. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Leavable, RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import { failure } from './failure.ts'
import { Controllers, cycle } from './lookahead/index.ts'
import { logLine } from './log.ts'
import type { App, Bindings } from './settings.ts'
import { upstreamOf } from './upstreams/index.ts'

/** workerd notices that a client has left when it next writes, so a silent stream must not stay silent for long. */
export const HEARTBEAT_MS = 2_000

/** What this isolate has learned about looking ahead. A new isolate learns anew. */
const controllers = new Controllers()

/**
 * Starts a run on the engine that the worker is set up for, and waits until that has let it in: what it refuses before has a
 * status, and can be tried again. Leaving its events stops everything down to the engine, and so does the end of the client's
 * connection: then they end without an error.
 * @throws {ProtocolError} 500 `not_configured`; as `run.failed` would say it: 400, 429 `overloaded`, 502, 503 `target_unavailable`; 499 `client_left`
 */
export async function startRun(
  request: RunRequest,
  c: Context<App>,
): Promise<AsyncIterator<RunEvent, void, undefined>> {
  const { signal } = c.req.raw
  const over = Promise.withResolvers<void>()
  const events = openRun(request, c.env, c.var.requestId, signal)
  // Without waitUntil the runtime drops our code the moment the client leaves, before it can tell the engine.
  c.executionCtx.waitUntil(over.promise)
  return letIn(untilGone(events, signal, over.resolve))
}

/** A run on the engine that the worker is set up for, not begun yet. @throws {ProtocolError} 500 `not_configured` */
export function openRun(request: RunRequest, env: Bindings, runId: string, signal: AbortSignal): Leavable<RunEvent> {
  return cycle(upstreamOf(env, runId), request, {
    runId,
    signal,
    controller: controllers.for(request),
    log: (trouble) => logLine({ ...trouble, request_id: runId }),
  })
}

/** The same run once the engine has let it in. @throws {ProtocolError} as `startRun` does */
export async function letIn(
  run: AsyncIterator<RunEvent, void, undefined>,
): Promise<AsyncIterator<RunEvent, void, undefined>> {
  const first = await run.next()
  if (first.done) throw new ProtocolError(499, 'client_left', 'the client left')
  if (first.value.type !== 'run.failed') return begunWith(first, run)
  await run.return?.()
  throw failure(first.value)
}

/** The same events, of which the first was read already. */
function begunWith<Event>(
  first: IteratorResult<Event, void>,
  rest: AsyncIterator<Event, void, undefined>,
): AsyncIterator<Event, void, undefined> {
  const read = [first]
  return {
    next: async () => read.pop() ?? rest.next(),
    return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
  }
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
