/** `/v1/draft`, `/v1/verify`, `/v1/contexts`: the two halves of the cycle, and the contexts they share. */
import type { Context as ContextRef } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { Context } from '../engine/contexts.ts'
import { draft } from '../engine/decode/draft.ts'
import { Verification } from '../engine/decode/verify.ts'
import type { Engine } from '../engine/engine.ts'
import type { Call } from './calls.ts'
import { measured } from './measured.ts'
import type { EndReason, Measurement, Metrics } from './metrics.ts'
import type { Service } from './service.ts'
import { stream } from './stream.ts'
import { encoder, readDraft, readVerify } from './wire.ts'
import type { LookaheadEvent } from './wire.ts'

type Half = 'draft' | 'verify'
type Events = AsyncGenerator<LookaheadEvent, void, undefined>

export function lookaheadRoutes(service: Service): Hono {
  const app = new Hono()

  app.post('/v1/draft', async (c) => {
    const request = await readDraft(c.req.raw)
    const engine = service.ready()
    engine.requireDraft()
    return respond(service, engine, c.req.raw.signal, { half: 'draft', named: request.context }, (context, signal) =>
      draft(engine, context, request, signal),
    )
  })

  app.post('/v1/verify', async (c) => {
    const request = await readVerify(c.req.raw)
    const engine = service.ready()
    engine.verifier(request.verifier)
    return respond(service, engine, c.req.raw.signal, { half: 'verify', named: request.context }, (context, signal) =>
      new Verification(engine, context, request, signal).run(),
    )
  })

  app.delete('/v1/contexts/:id', (c) => {
    service.ready().contexts.drop(c.req.param('id'))
    return c.body(null, 204)
  })

  return app
}

/** Opens a call on the context it names, and streams what it does there. */
function respond(
  { calls, metrics }: Service,
  engine: Engine,
  connection: AbortSignal,
  { half, named }: { half: Half; named: ContextRef },
  work: (context: Context, signal: AbortSignal) => Events,
): Promise<Response> {
  return calls.answer(connection, async (call) => {
    const opened = await open(engine, half, named, call)
    const { context } = opened
    const promptTokens = named.length === undefined ? context.promptLength : 0
    const start = () => metrics.start(half === 'draft' ? 'draft' : 'target', promptTokens)
    const events = () => measured(start, work(context, call.signal), recorder(metrics), call.signal)
    return stream(call, onContext(engine, call, opened, events), encoder)
  })
}

interface OpenContext {
  context: Context
  /** To be called when the call no longer works on it. */
  leave: () => void
}

/** The context a call names, on which it then works. One that was made for the call is not left behind by a refusal. */
async function open(engine: Engine, half: Half, named: ContextRef, call: Call): Promise<OpenContext> {
  const context = await engine.context(named, call.signal)
  const isNew = named.length === undefined
  try {
    if (isNew) call.reads(context.tokens.length)
    return { context, leave: engine.contexts.enter(context, half) }
  } catch (error) {
    if (isNew) engine.contexts.giveUp(context)
    throw error
  }
}

/** Works on a context, which is kept only where the events come to their end and the text goes on. */
async function* onContext(engine: Engine, call: Call, { context, leave }: OpenContext, work: () => Events): Events {
  let goesOn = false
  try {
    let isOver = false
    for await (const event of work()) {
      if (event.type !== 'context') call.started()
      if (event.type === 'commit' && event.finish) isOver = true
      yield event
    }
    goesOn = !isOver
  } finally {
    if (!goesOn) engine.contexts.giveUp(context)
    leave()
  }
}

/** Measures the events of one call; the last one tells why it ended. */
function recorder(metrics: Metrics): (measurement: Measurement, event: LookaheadEvent) => EndReason | undefined {
  let end: EndReason = 'step'
  return (measurement, event) => {
    switch (event.type) {
      case 'step':
        metrics.stepDrafted()
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
