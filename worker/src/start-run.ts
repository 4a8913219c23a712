/** From a request, in whatever dialect it came, to a run that goes on. */
import { ProtocolError, resumed, within } from '@lookahead/sdk/protocol'
import type { Leavable, RunEvent, RunRequest } from '@lookahead/sdk/protocol'
import type { Context } from 'hono'
import { limitsOf } from './access/limits.ts'
import { takeRunLease } from './access/run-lease.ts'
import { failure } from './failure.ts'
import { Controllers, cycle } from './lookahead/index.ts'
import type { Progress } from './lookahead/index.ts'
import { logLine } from './log.ts'
import type { Caller } from './access/caller.ts'
import type { App, Bindings } from './settings.ts'
import { engineOf } from './upstreams/index.ts'

/** workerd notices that a client has left when it next writes, so a silent stream must not stay silent for long. */
export const HEARTBEAT_MS = 2_000

/**
 * So long the headers of a run that is not let in yet are held back at most, so that a refusal has a status; before they are
 * out the runtime does not notice either that the client has left. Clients that do without a status need not be held back long.
 */
const STATUS_MS = 50_000

/** What this isolate has learned about looking ahead. A new isolate learns anew. */
const controllers = new Controllers()

/**
 * Starts a run on the engine that the worker is set up for, and waits until that has let it in: what it refuses before
 * has a status, and after `statusMs` milliseconds `run.failed` is the first event. Leaving its events stops everything down to the engine, and so
 * does the end of the client's connection, or that it no longer reads: then they end without an error.
 * A run writes as many tokens as the caller's key allows, however many it asks for.
 * @throws {ProtocolError} 500 `not_configured`; 429 `too_many_runs`; as `run.failed` would say it: 400, 429 `overloaded`, 502, 503 `target_unavailable`; 499 `client_left`
 */
export async function startRun(
  request: RunRequest,
  c: Context<App>,
  { statusMs = STATUS_MS }: { statusMs?: number } = {},
): Promise<AsyncIterator<RunEvent, void, undefined>> {
  const { requestId: runId, caller } = c.var
  const { signal } = c.req.raw
  const { events, leave } = await openRun(request, { env: c.env, caller, runId, signal }, cycle)
  const over = Promise.withResolvers<void>()
  // Without waitUntil the runtime drops our code the moment the client leaves, before it can tell the engine.
  c.executionCtx.waitUntil(over.promise.then(leave))
  const { unreadMs } = limitsOf(c.env)
  return letIn(untilLeft(events, { gone: signal, unreadMs, over: over.resolve }), statusMs)
}

/** For whom a run is written, and until when. */
export interface RunContext {
  env: Bindings
  caller: Caller
  runId: string
  signal: AbortSignal
}

/**
 * A run that has its place among those that go on, and is not begun yet. Whoever opens it leaves the place once it is over.
 * @param begin the cycle, or one that takes up a run
 * @throws {ProtocolError} 500 `not_configured`; 429 `too_many_runs`
 */
export async function openRun<Events>(
  request: RunRequest,
  { env, caller, runId, signal }: RunContext,
  begin: (...run: Parameters<typeof cycle>) => Events,
) {
  const upstream = engineOf(env).upstream(env, runId, caller.cacheSalt)
  const max_tokens = Math.min(request.max_tokens, caller.tokens ?? limitsOf(env).tokens)
  const leave = await takeRunLease(env, caller, runId)
  const events = begin(
    upstream,
    { ...request, max_tokens },
    {
      runId,
      signal,
      controller: controllers.for(request),
      log: (trouble) => logLine({ ...trouble, request_id: runId, caller: caller.name }),
    },
  )
  return { events, leave }
}

/** The same run once the engine has let it in, or has kept it waiting for `statusMs`. @throws {ProtocolError} as `startRun` does */
export async function letIn<Event extends RunEvent | Progress>(
  run: AsyncIterator<Event, void, undefined>,
  statusMs = STATUS_MS,
): Promise<AsyncIterator<Event, void, undefined>> {
  const begun = run.next()
  const first = await within(statusMs, begun)
  if (first?.done) throw new ProtocolError(499, 'client_left', 'the client left')
  if (first?.value.type !== 'run.failed') return resumed(begun, run)
  await run.return?.()
  throw failure(first.value)
}

/** How a client may leave. */
interface Leaving {
  /** It has closed its connection. */
  gone: AbortSignal
  /** Milliseconds for which it asks for nothing although there is something: its run would keep its place for ever. */
  unreadMs: number
  /** Called when nothing is left to be done. */
  over: () => void
}

/** The same events; when the client has left there are no more. */
function untilLeft<Event>(
  events: Leavable<Event>,
  { gone, unreadMs, over }: Leaving,
): AsyncIterator<Event, void, undefined> {
  let unread: ReturnType<typeof setTimeout> | undefined
  const leave = async () => {
    clearTimeout(unread)
    try {
      return await events.return()
    } finally {
      over()
    }
  }
  return {
    async next() {
      clearTimeout(unread)
      try {
        const result = await events.next()
        if (result.done) over()
        else unread = setTimeout(() => void leave(), unreadMs)
        return result
      } catch (error) {
        over()
        if (!gone.aborted) throw error
        return { done: true, value: undefined }
      }
    },
    return: leave,
  }
}
