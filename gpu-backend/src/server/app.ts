import { randomUUID, timingSafeEqual } from 'node:crypto'
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
import { bodyLimit } from 'hono/body-limit'
import type { Context as EngineContext } from '../engine/contexts.ts'
import { draft } from '../engine/draft.ts'
import type { Engine } from '../engine/engine.ts'
import { Verification } from '../engine/verify.ts'

const MAX_BODY_BYTES = 4 * 1024 * 1024

export interface AppOptions {
  /** Undefined while the models load. */
  engine: () => Engine | undefined
  /** True once the server is shutting down. */
  draining: () => boolean
  /** Bearer token that every call but `/health` must show. Default: none asked. */
  token?: string | undefined
}

type Event = DraftEvent | VerifyEvent

/** The backend's HTTP surface. Errors are OpenAI error objects; before streaming with a status, afterwards as an event. */
export function createApp({ engine, draining, token }: AppOptions): Hono {
  const app = new Hono()
  const created = Math.floor(Date.now() / 1000)

  const ready = (): Engine => {
    if (draining()) throw new ProtocolError(503, 'draining', 'the backend is shutting down', { retryAfter: 5 })
    const loaded = engine()
    if (!loaded) throw new ProtocolError(503, 'loading', 'the models are still loading', { retryAfter: 1 })
    return loaded
  }

  app.use(async function requestId(c, next) {
    await next()
    c.res.headers.set('x-request-id', c.req.header('x-request-id') ?? randomUUID())
  })

  app.get('/health', (c) => {
    if (draining()) return c.json({ status: 'draining' }, 503)
    const loaded = engine()
    if (!loaded) return c.json({ status: 'loading' }, 503)
    const { pool } = loaded.target
    const slots = loaded.decoders.map(({ role, decoder }) => [
      role,
      { total: decoder.pool.size, free: decoder.pool.free },
    ])
    return c.json({
      status: 'ok',
      slots: { total: pool.size, free: pool.free },
      pools: Object.fromEntries(slots),
      contexts: loaded.contexts.size,
      running: loaded.contexts.running,
    })
  })

  app.use('/v1/*', async function bearer(c, next) {
    if (token !== undefined && !sameText(c.req.header('authorization') ?? '', `Bearer ${token}`))
      throw new ProtocolError(401, 'invalid_api_key', 'send the token as "Authorization: Bearer …"')
    await next()
  })
  app.use(
    '/v1/*',
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new ProtocolError(413, 'request_too_large', `the request body may be ${MAX_BODY_BYTES} bytes at most`)
      },
    }),
  )

  app.get('/v1/models', (c) =>
    c.json({
      object: 'list',
      data: ready().decoders.map(({ role, decoder: { model } }) => ({
        id: role,
        object: 'model',
        created,
        owned_by: 'lookahead',
        role,
        parameters: model.parameters,
        max_model_len: model.config.maxPositions,
      })),
    }),
  )

  app.post('/v1/draft', async (c) => {
    const request = parseRequest(DraftRequest, await readJson(c.req.raw))
    const loaded = ready()
    if (!loaded.draft) throw new ProtocolError(503, 'no_draft_model', 'this backend serves no draft model')
    const context = loaded.context(request.context)
    return respond(loaded, context, 'draft', c.req.raw.signal, (signal) => draft(loaded, context, request, signal))
  })

  app.post('/v1/verify', async (c) => {
    const request = parseRequest(VerifyRequest, await readJson(c.req.raw))
    const loaded = ready()
    const context = loaded.context(request.context)
    return respond(loaded, context, 'verify', c.req.raw.signal, (signal) =>
      new Verification(loaded, context, request, signal).run(),
    )
  })

  app.delete('/v1/contexts/:id', (c) => {
    ready().contexts.drop(c.req.param('id'))
    return c.body(null, 204)
  })

  app.notFound((c) => new ProtocolError(404, 'not_found', `no ${c.req.method} ${c.req.path} here`).toResponse())
  app.onError((error) => publicError(error).toResponse())
  return app
}

/** Streams a call's events. A client that leaves stops the work before its next forward and gives up the context. */
function respond(
  engine: Engine,
  context: EngineContext,
  call: string,
  requestSignal: AbortSignal,
  start: (signal: AbortSignal) => AsyncGenerator<Event, void, undefined>,
): Response {
  const leave = engine.contexts.enter(context, call)
  const abort = new AbortController()
  const signal = AbortSignal.any([abort.signal, requestSignal])
  async function* events(): AsyncGenerator<Event, void, undefined> {
    let finished = false
    try {
      for await (const event of start(signal)) {
        yield event
        if (event.type === 'commit' && event.finish_reason) engine.contexts.drop(context.id)
      }
      finished = true
    } catch (error) {
      if (!signal.aborted) yield { type: 'error', ...publicError(error).body }
    } finally {
      if (!finished) engine.contexts.drop(context.id)
      leave()
    }
  }
  const stream = events()
  // A generator that was never started has no `finally` to run, so it is started here: its first event needs no computing.
  const first = stream.next()
  return eventStream(resume(first, stream), { onCancel: () => abort.abort() })
}

async function* resume(
  first: Promise<IteratorResult<Event, void>>,
  rest: AsyncGenerator<Event, void, undefined>,
): AsyncGenerator<Event, void, undefined> {
  try {
    const { done, value } = await first
    if (!done) yield value
    yield* rest
  } finally {
    await rest.return()
  }
}

/** What may be said outside. Anything unforeseen is logged and stays inside. */
function publicError(error: unknown): ProtocolError {
  if (error instanceof ProtocolError) return error
  console.error(error)
  return new ProtocolError(500, 'internal_error', 'the backend failed; its log says why')
}

function sameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}
