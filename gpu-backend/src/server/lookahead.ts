/** `/v1/draft`, `/v1/verify`, `/v1/contexts`: the two halves of the cycle, and the contexts they share. */
import { Hono } from 'hono'
import type { Context, ContextRef } from '../engine/contexts.ts'
import { draft } from '../engine/decode/draft.ts'
import { lookahead } from '../engine/decode/lookahead.ts'
import { verifySteps } from '../engine/decode/verify.ts'
import type { Engine } from '../engine/engine.ts'
import type { Call } from './calls.ts'
import { callerOf } from './caller.ts'
import type { Caller } from './caller.ts'
import { measured } from './measured.ts'
import type { EndReason, Measurement, Metrics } from './metrics.ts'
import type { Service } from './service.ts'
import { stream } from './stream.ts'
import { encoder, readDraft, readVerify } from './wire.ts'
import type { LookaheadEvent } from './wire.ts'

type CallKind = 'draft' | 'verify'
type Events = AsyncGenerator<LookaheadEvent, void, undefined>

/** What a call is to do. */
interface CallRequest {
  kind: CallKind
  named: ContextRef
  follow: boolean
  salt: string
}

/** A context is its key's alone. */
const idOf = ({ key }: Caller, id: string): string => (key === '' ? id : `${id}\n${key}`)

function callRequest(
  caller: Caller,
  kind: CallKind,
  { context, follow }: { context: ContextRef; follow: boolean },
): CallRequest {
  return { kind, named: { ...context, id: idOf(caller, context.id) }, follow, salt: caller.salt }
}

export function lookaheadRoutes(service: Service): Hono {
  const app = new Hono()

  app.post('/v1/draft', async (c) => {
    const request = await readDraft(c.req.raw)
    const caller = callerOf(c, service, request.cacheSalt)
    const engine = service.ready(idOf(caller, request.context.id))
    engine.requireDraft()
    return respond(service, engine, caller, callRequest(caller, 'draft', request), (context, signal) =>
      draft(engine, context, request, signal),
    )
  })

  app.post('/v1/verify', async (c) => {
    const request = await readVerify(c.req.raw)
    const caller = callerOf(c, service, request.cacheSalt)
    const engine = service.ready(idOf(caller, request.context.id))
    engine.verifier(request.verifier, request.threshold)
    const work = request.follow ? lookahead : verifySteps
    return respond(service, engine, caller, callRequest(caller, 'verify', request), (context, signal) =>
      work(engine, context, request, signal),
    )
  })

  app.delete('/v1/contexts/:id', (c) => {
    const id = idOf(callerOf(c, service), c.req.param('id'))
    service.ready(id).contexts.drop(id)
    return c.body(null, 204)
  })

  return app
}

/** Opens a call on the context it names, and streams what it does there. */
function respond(
  { calls, metrics, isGuarded }: Service,
  engine: Engine,
  caller: Caller,
  { kind, follow, ...rest }: CallRequest,
  work: (context: Context, signal: AbortSignal) => Events,
): Promise<Response> {
  // A context that is only named says whose it is.
  const named = isGuarded ? engine.contexts.find(rest.named.id) : undefined
  return calls.answer({ ...caller, user: named?.salt ?? caller.user }, async (call) => {
    const opened = await open(engine, { kind, follow, ...rest }, call)
    const { context } = opened
    const promptTokens = opened.isNew ? context.promptLength : 0
    const start = () => metrics.start(kind === 'draft' ? 'draft' : 'target', promptTokens)
    const events = () => measured(start, work(context, call.signal), recorder(metrics, kind), call.signal)
    // A draft that fails, or is left, costs those who follow it nothing but speed.
    const isHelper = kind === 'draft' && follow
    return stream(call, onContext(engine, call, opened, events, isHelper), encoder())
  })
}

interface OpenContext {
  context: Context
  /** Whether it was made for the call. */
  isNew: boolean
  /** To be called when the call no longer works on it. */
  leave: () => void
}

/** The context a call names, on which it then works. One that was made for the call is not left behind by a refusal. */
async function open(engine: Engine, { kind, named, follow, salt }: CallRequest, call: Call): Promise<OpenContext> {
  const known = engine.contexts.find(named.id)
  const context = await engine.context(named, { signal: call.signal, joinsAs: follow ? kind : undefined, salt })
  const isNew = context !== known && context.active.size === 0
  try {
    if (isNew) call.reads(context.tokens.length)
    if (named.continues) await engine.contexts.await(context, kind, call.signal)
    return { context, isNew, leave: engine.contexts.enter(context, kind) }
  } catch (error) {
    if (isNew) engine.contexts.giveUp(context)
    throw error
  }
}

/** Works on a context, which is kept only where the events come to their end and the text goes on. */
async function* onContext(
  engine: Engine,
  call: Call,
  { context, leave }: OpenContext,
  work: () => Events,
  isHelper: boolean,
): Events {
  let goesOn = false
  try {
    let isOver = false
    for await (const event of work()) {
      // A helper that goes on has nothing to say: it would count as queued for as long as it helps.
      if (event.type !== 'context' || isHelper) call.started()
      if (event.type === 'commit' && event.finish) isOver = true
      yield event
    }
    goesOn = !isOver
  } finally {
    if (!goesOn && !isHelper) engine.contexts.giveUp(context)
    leave()
  }
}

/** Measures the events of one call; the last one tells why it ended. */
function recorder(
  metrics: Metrics,
  kind: CallKind,
): (measurement: Measurement, event: LookaheadEvent) => EndReason | undefined {
  let end: EndReason = 'step'
  return (measurement, event) => {
    switch (event.type) {
      case 'step':
        metrics.stepDrafted()
        if (kind === 'verify') return undefined
        measurement.tokens(event.tokens)
        if (event.end === 'text') end = 'stop'
        return undefined
      case 'verdict':
        metrics.ruled(event)
        return undefined
      case 'delta':
        measurement.tokens(0)
        return undefined
      case 'commit':
        measurement.tokens(event.tokens.length)
        end = event.finish ?? 'step'
        return undefined
      case 'done':
        if (event.speculation) measurement.speculated(event.speculation)
        return end
      default:
        return undefined
    }
  }
}
