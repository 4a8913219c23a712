/** `/v1/draft`, `/v1/verify`, `/v1/contexts`: the two halves of the cycle, and the contexts they share. */
import { DraftRequest, VerifyRequest, eventStream, parseRequest, readJson } from '@lookahead/sdk/protocol'
import type { DraftEvent, VerifyEvent } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { Context as EngineContext } from '../engine/contexts.ts'
import { draft } from '../engine/decode/draft.ts'
import type { Engine } from '../engine/engine.ts'
import { Verification } from '../engine/decode/verify.ts'
import { publicError } from './errors.ts'
import type { Call } from './calls.ts'
import type { EndReason } from './metrics.ts'
import type { Service } from './service.ts'

type Event = DraftEvent | VerifyEvent

/** One of the two halves of the cycle, as a call on a context. */
interface Work {
  half: Half
  context: EngineContext
  /** If the call made the context; otherwise 0. */
  promptTokens: number
  /** To be called when the call has ended. */
  leave: () => void
}

type Half = 'draft' | 'verify'
type Events = AsyncGenerator<Event, void, undefined>

export function lookaheadRoutes(service: Service): Hono {
  const app = new Hono()

  app.post('/v1/draft', async (c) => {
    const request = parseRequest(DraftRequest, await readJson(c.req.raw))
    const engine = service.ready()
    engine.requireDraft()
    return service.calls.answer(c.req.raw.signal, async (call) => {
      const work = await open(engine, 'draft', request, call)
      return respond(service, engine, call, work, () => draft(engine, work.context, request, call.signal))
    })
  })

  app.post('/v1/verify', async (c) => {
    const request = parseRequest(VerifyRequest, await readJson(c.req.raw))
    const engine = service.ready()
    return service.calls.answer(c.req.raw.signal, async (call) => {
      const work = await open(engine, 'verify', request, call)
      return respond(service, engine, call, work, () =>
        new Verification(engine, work.context, request, call.signal).run(),
      )
    })
  })

  app.delete('/v1/contexts/:id', (c) => {
    service.ready().contexts.drop(c.req.param('id'))
    return c.body(null, 204)
  })

  return app
}

async function open(
  engine: Engine,
  half: Half,
  { context: named }: DraftRequest | VerifyRequest,
  call: Call,
): Promise<Work> {
  const context = await engine.context(named, call.signal)
  const isNew = named.length === undefined
  try {
    if (isNew) call.reads(context.tokens.length)
    const leave = engine.contexts.enter(context, half)
    return { half, context, promptTokens: isNew ? context.promptLength : 0, leave }
  } catch (error) {
    if (isNew) engine.contexts.giveUp(context)
    throw error
  }
}

/** Streams a call's events. A client that leaves stops the work before its next forward and gives up the context. */
function respond(
  { metrics }: Service,
  engine: Engine,
  call: Call,
  { half, context, promptTokens, leave }: Work,
  start: () => Events,
): Response {
  const measured = metrics.start(half === 'draft' ? 'draft' : 'target', promptTokens)
  async function* events(): Events {
    let end: EndReason = 'abort'
    try {
      for await (const event of start()) {
        measure(event)
        if (event.type !== 'context') call.started()
        yield event
        if (event.type === 'commit' && event.finish_reason) engine.contexts.giveUp(context)
      }
      end = finish
    } catch (error) {
      if (!call.signal.aborted) end = 'error'
      yield { type: 'error', ...publicError(error).body }
    } finally {
      if (end === 'abort' || end === 'error') engine.contexts.giveUp(context)
      leave()
      call.end()
      measured.end(end)
    }
  }

  let finish: EndReason = 'step'
  function measure(event: Event): void {
    if (event.type === 'step') {
      metrics.stepDrafted()
      measured.tokens(event.tokens)
      if (event.end === 'text') finish = 'stop'
    } else if (event.type === 'verdict') metrics.ruled(event)
    else if (event.type === 'delta') measured.tokens(0)
    else if (event.type === 'commit') {
      measured.tokens(event.tokens.length)
      finish = event.finish_reason ?? 'step'
    } else if (event.type === 'done' && 'speculation' in event) {
      const { accepted_per_position: perPosition, ...counts } = event.speculation
      measured.speculated({ ...counts, perPosition })
    }
  }

  const stream = events()
  // A generator that was never started has no `finally` to run, so it is started here: its first event needs no computing.
  const first = stream.next()
  return eventStream(resume(first, stream), { onCancel: () => call.leave() })
}

async function* resume<T>(
  first: Promise<IteratorResult<T, void>>,
  rest: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  try {
    const { done, value } = await first
    if (!done) yield value
    yield* rest
  } finally {
    await rest.return()
  }
}
