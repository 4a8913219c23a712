/**
 * A stored run: a Durable Object in which the cycle goes on, whoever watches, and which keeps the events until they expire.
 * @see https://developers.cloudflare.com/durable-objects/
 */
import { DurableObject } from 'cloudflare:workers'
import { ProtocolError, eventStream } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'
import { logLine } from '../log.ts'
import { cycleWithProgress, stackOf } from '../lookahead/index.ts'
import type { Progress, SavedRun } from '../lookahead/index.ts'
import type { Bindings } from '../settings.ts'
import { HEARTBEAT_MS, letIn, openRun } from '../start-run.ts'
import { Journal } from './journal.ts'
import { keepJson, keptJson } from './kept-json.ts'
import { cancelled, interrupted, notFound, seconds, stateOf } from './record.ts'
import type { RunRecord } from './record.ts'
import type { Order, Recalled, Start } from './orders.ts'
import { retentionMsOf } from './retention.ts'

const RECORD = 'run'
/** By whom and how it was begun: until it is over. */
const ORDER = 'order'
const NOTE = 'note'
/** Times that its object was lost. */
const LOSSES = 'losses'
const MOST_LOSSES = 5
/** That it is to end: obeyed by whatever object comes after this one. */
const CANCELLED = 'cancelled'

/** How soon a run is missed whose object was lost while nobody watched it. */
const WATCH_MS = 60_000

/** A run that this object is at work on. */
interface Work {
  fingerprint: string
  /** Settles once the engine has let it in, or not. */
  begun: Promise<void>
  /** Settles once its terminal event is stored. */
  over: Promise<void>
  stop: AbortController
}

export class RunObject extends DurableObject<Bindings> {
  readonly #journal: Journal
  #work: Work | undefined

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env)
    this.#journal = new Journal(ctx.storage)
    if (this.#record) void ctx.blockConcurrencyWhile(() => this.#takeUp())
  }

  override async fetch(request: Request): Promise<Response> {
    try {
      return await this.#obey(await request.json<Order>())
    } catch (error) {
      if (error instanceof ProtocolError) return error.toResponse()
      throw error
    }
  }

  /** Deletes the run when it expires; until its end only sees to it that somebody looks after it. */
  override async alarm(): Promise<void> {
    const { endedAt } = this.#journal
    if (endedAt === undefined && this.#work) await this.#wakeAt(Date.now() + WATCH_MS)
    else if (endedAt === undefined || Date.now() >= endedAt + this.#retentionMs) await this.ctx.storage.deleteAll()
    else await this.#wakeAt(endedAt + this.#retentionMs)
  }

  async #obey(order: Order): Promise<Response> {
    if (order.do === 'start') return this.#start(order)
    const record = this.#record
    if (record?.owner !== order.owner) throw notFound()
    if (order.do === 'follow') return this.#follow(order.from, order.now)
    if (order.do === 'recall') {
      const note = keptJson(this.ctx.storage.kv, NOTE) ?? null
      return Response.json({ created: seconds(record.createdAt), note } satisfies Recalled)
    }
    if (order.do === 'cancel' || order.do === 'delete') await this.#cancel()
    if (order.do === 'delete') {
      await this.ctx.storage.deleteAll()
      return new Response(null, { status: 204 })
    }
    return Response.json(stateOf(record, this.#journal, this.#retentionMs))
  }

  async #start(order: Start): Promise<Response> {
    const known = this.#record ?? this.#work
    if (known && known.fingerprint !== order.fingerprint)
      throw new ProtocolError(422, 'idempotency_key_reused', 'this Idempotency-Key came with another request before')
    if (!known) this.#begin(order, (signal, begun) => this.#run(order, signal, begun))
    await this.#work?.begun
    return this.#follow(0)
  }

  #begin({ fingerprint }: Start, run: (signal: AbortSignal, begun: () => void) => Promise<void>): void {
    const stop = new AbortController()
    const begun = Promise.withResolvers<void>()
    const over = run(stop.signal, begun.resolve)
      .catch(begun.reject)
      .finally(() => (this.#work = undefined))
    this.#work = { fingerprint, begun: begun.promise, over, stop }
    this.ctx.waitUntil(over)
  }

  /** The run, to its stored end. @throws {ProtocolError} where the engine does not let it in: nothing is kept of it then */
  async #run(order: Start, signal: AbortSignal, begun: () => void): Promise<void> {
    const { id: runId, request, caller } = order
    const { events, leave } = await openRun(request, { env: this.env, caller, runId, signal }, cycleWithProgress)
    try {
      await this.#store(runId, untilCancelled(await letIn(events), signal), () => {
        this.#keep(order)
        begun()
      })
    } finally {
      await leave()
    }
  }

  /** The run of an object that was lost, from what it has said to its stored end. */
  async #goOn({ id: runId, request, caller }: Start, begun: SavedRun | undefined, signal: AbortSignal): Promise<void> {
    const { events, leave } = await openRun(request, { env: this.env, caller, runId, signal }, (upstream, ...run) =>
      begun && !upstream.takeUp ? only(interrupted) : cycleWithProgress(upstream, ...run, begun),
    ).catch((error: unknown) => ({ events: only(failed(error)), leave: async () => undefined }))
    try {
      await this.#store(runId, untilCancelled(events, signal))
    } finally {
      await leave()
    }
  }

  async #store(id: string, events: AsyncIterable<RunEvent | Progress>, begin = () => undefined): Promise<void> {
    try {
      begin()
      await this.#wakeAt(Date.now() + WATCH_MS)
      await this.#journal.write(events)
      this.ctx.storage.kv.put(ORDER, null)
      await this.#wakeAt(Date.now() + this.#retentionMs)
    } catch (error) {
      // What is on disk is taken up by a new object, as after any other fall.
      logLine({ event: 'request.failed', run_id: id, code: 'internal_error', stack: stackOf(error) })
      this.ctx.abort('a stored run could not go on')
    }
  }

  #keep(order: Start): void {
    const { id, owner, fingerprint, note } = order
    const { kv } = this.ctx.storage
    this.#record = { id, owner, fingerprint, createdAt: Date.now() }
    if (note) keepJson(kv, NOTE, note)
    keepJson(kv, ORDER, order)
    this.#journal.open()
  }

  #follow(from: number, now = false): Response {
    if (from > this.#journal.length)
      throw new ProtocolError(400, 'invalid_request', `starting_after: there is no event ${from - 1} yet`, {
        param: 'starting_after',
      })
    // There will be no more: `EventSource` comes back no more after this.
    if (this.#journal.isOver && from === this.#journal.length) return new Response(null, { status: 204 })
    return eventStream(this.#journal.follow(from, now), { ids: true, firstId: from, heartbeatMs: HEARTBEAT_MS })
  }

  async #cancel(): Promise<void> {
    this.ctx.storage.kv.put(CANCELLED, true)
    await this.ctx.storage.sync()
    this.#work?.stop.abort(new ProtocolError(499, 'cancelled', 'the run was cancelled'))
    await this.#work?.over
  }

  /** A run whose object was lost goes on, where all is there that this takes. It may have been what its object was lost of. */
  async #takeUp(): Promise<void> {
    const { kv } = this.ctx.storage
    this.#journal.open()
    if (this.#journal.endedAt !== undefined) return
    if (kv.get(CANCELLED)) return this.#end(cancelled)
    const order = keptJson(kv, ORDER) as Start | undefined
    const { begun, length } = this.#journal
    const losses = (kv.get<number>(LOSSES) ?? 0) + 1
    kv.put(LOSSES, losses)
    if (!order || (!begun && length > 0) || losses > MOST_LOSSES) return this.#interrupt()
    if (begun) begun.checkpoint.stats.elapsed_ms = Date.now() - this.#record!.createdAt
    this.#begin(order, (signal, isBegun) => {
      isBegun()
      return this.#goOn(order, begun, signal)
    })
  }

  #interrupt(): Promise<void> {
    const { type: event, ...words } = interrupted
    logLine({ event, run_id: this.#record?.id, ...words })
    return this.#end(interrupted)
  }

  async #end(event: RunEvent): Promise<void> {
    await this.#journal.write(only(event))
    this.ctx.storage.kv.put(ORDER, null)
    await this.#wakeAt(Date.now() + this.#retentionMs)
  }

  get #record(): RunRecord | undefined {
    return this.ctx.storage.kv.get<RunRecord>(RECORD)
  }

  set #record(record: RunRecord) {
    this.ctx.storage.kv.put(RECORD, record)
  }

  get #retentionMs(): number {
    return retentionMsOf(this.env)
  }

  #wakeAt(time: number): Promise<void> {
    return this.ctx.storage.setAlarm(time)
  }
}

async function* untilCancelled<Event>(
  events: AsyncIterator<Event, void, undefined>,
  signal: AbortSignal,
): AsyncGenerator<Event | RunEvent, void, undefined> {
  try {
    for (let next = await events.next(); !next.done; next = await events.next()) yield next.value
  } catch (error) {
    if (!signal.aborted) throw error
    yield cancelled
  }
}

/** A run that could not be begun again. */
function failed(error: unknown): RunEvent {
  const foreseen = error instanceof ProtocolError
  if (!foreseen) logLine({ event: 'request.failed', code: 'internal_error', stack: stackOf(error) })
  const { code, message } = foreseen
    ? error
    : { code: 'internal_error', message: 'the worker failed; its log says why' }
  return { type: 'run.failed', code, message }
}

async function* only(event: RunEvent): AsyncGenerator<RunEvent, void, undefined> {
  yield event
}
