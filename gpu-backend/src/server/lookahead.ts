/** `/v1/draft`, `/v1/verify`, `/v1/contexts`: the two halves of the cycle, and the contexts they share. */
import {
  DraftRequest,
  ProtocolError,
  VerifyRequest,
  eventStream,
  parseRequest,
  readJson,
} from '@lookahead/sdk/protocol'
import type { DraftEvent, VerifyEvent } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { Context as EngineContext } from '../engine/contexts.ts'
import { draft } from '../engine/draft.ts'
import type { Engine } from '../engine/engine.ts'
import { Verification } from '../engine/verify.ts'
import { publicError } from './errors.ts'
import type { Call } from './calls.ts'
import type { EndReason } from './metrics.ts'
import type { Service } from './service.ts'

type Event = DraftEvent | VerifyEvent

/** One of the two halves of the cycle, as a call on a context. */
interface Work {
  half: 'draft' | 'verify'
  context: EngineContext
  /** Tokens of the prompt, and of prompt and output, if the call made the context; otherwise 0. */
  promptTokens: number
  newTokens: number
  start: (signal: AbortSignal) => AsyncGenerator<Event, void, undefined>
}

export function lookaheadRoutes(service: Service): Hono {
  const app = new Hono()

  app.post('/v1/draft', async (c) => {
    const request = parseRequest(DraftRequest, await readJson(c.req.raw))
    const engine = service.ready()
    if (!engine.draft) throw new ProtocolError(503, 'no_draft_model', 'this backend serves no draft model')
    const opened = open(engine, request)
    const { context } = opened
    const start = (signal: AbortSignal) => draft(engine, context, request, signal)
    return respond(service, engine, c.req.raw.signal, { half: 'draft', ...opened, start })
  })

  app.post('/v1/verify', async (c) => {
    const request = parseRequest(VerifyRequest, await readJson(c.req.raw))
    const engine = service.ready()
    const opened = open(engine, request)
    const { context } = opened
    const start = (signal: AbortSignal) => new Verification(engine, context, request, signal).run()
    return respond(service, engine, c.req.raw.signal, { half: 'verify', ...opened, start })
  })

  app.delete('/v1/contexts/:id', (c) => {
    service.ready().contexts.drop(c.req.param('id'))
    return c.body(null, 204)
  })

  return app
}

function open(engine: Engine, { context: named }: DraftRequest | VerifyRequest): Omit<Work, 'half' | 'start'> {
  const context = engine.context(named)
  const isNew = named.length === undefined
  return { context, promptTokens: isNew ? context.promptLength : 0, newTokens: isNew ? context.tokens.length : 0 }
}

/** Streams a call's events. A client that leaves stops the work before its next forward and gives up the context. */
function respond(
  { calls, metrics }: Service,
  engine: Engine,
  connection: AbortSignal,
  { half, context, promptTokens, newTokens, start }: Work,
): Response {
  const leave = engine.contexts.enter(context, half)
  const call = begin()
  const measured = metrics.start(half === 'draft' ? 'draft' : 'target', promptTokens)
  async function* events(): AsyncGenerator<Event, void, undefined> {
    let end: EndReason = 'abort'
    try {
      for await (const event of start(call.signal)) {
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

  function begin(): Call {
    try {
      return calls.begin(connection, newTokens)
    } catch (error) {
      leave()
      if (newTokens > 0) engine.contexts.giveUp(context)
      throw error
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
