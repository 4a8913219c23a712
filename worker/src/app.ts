import { ProtocolError, RunRequest, eventStream, parseRequest, readJson } from '@lookahead/sdk/protocol'
import type { Health } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { backendState, models } from './backend-state.ts'
import { bearer } from './bearer.ts'
import { Backend, DepthPolicy, run, stackOf, words } from './lookahead/index.ts'
import type { Trouble } from './lookahead/index.ts'
import { apiKeyOf, backendOf } from './settings.ts'
import type { Bindings } from './settings.ts'

const MAX_BODY_BYTES = 1024 * 1024
/** Kinds of run whose best depth is remembered. */
const MAX_KINDS = 64
/** workerd notices that a client has left when it next writes, so a silent stream must not stay silent for long. */
const HEARTBEAT_MS = 2_000

type App = { Bindings: Bindings; Variables: { requestId: string } }

export const app = new Hono<App>()

app.use(cors({ origin: '*', exposeHeaders: ['x-request-id', 'retry-after', 'www-authenticate'] }))

app.use(async function requestId(c, next) {
  c.set('requestId', crypto.randomUUID())
  await next()
  c.res.headers.set('x-request-id', c.var.requestId)
})

app.use('/v1/*', async function askForKey(c, next) {
  const key = apiKeyOf(c.env)
  return key === undefined ? next() : bearer(key)(c, next)
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

/** Streams one run. The client leaving, however it is noticed, stops everything down to the backend. */
app.post('/v1/runs', async (c) => {
  const request = parseRequest(RunRequest, await readJson(c.req.raw))
  const { requestId } = c.var
  const backend = new Backend({ ...backendOf(c.env), requestId })
  const left = new AbortController()
  const signal = AbortSignal.any([left.signal, c.req.raw.signal])
  const settled = Promise.withResolvers<void>()
  async function* events() {
    try {
      const log = (trouble: Trouble) => logLine({ ...trouble, request_id: requestId })
      yield* run(request, backend, { runId: requestId, signal, depths: depthsFor(request), log })
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      settled.resolve()
    }
  }
  // Without waitUntil the runtime drops our code the moment the client leaves, before it can tell the backend.
  c.executionCtx.waitUntil(settled.promise)
  return eventStream(events(), { ids: true, heartbeatMs: HEARTBEAT_MS, onCancel: () => left.abort() })
})

app.get('/v1/models', (c) => models(c.env, c.var.requestId))

app.get('/health', async (c) => {
  const backend = await backendState(c.env, c.var.requestId)
  const health: Health = { status: backend === 'ok' ? 'ok' : 'degraded', backend }
  return c.json(health, backend === 'ok' ? 200 : 503)
})

app.notFound((c) => new ProtocolError(404, 'not_found', `no ${c.req.method} ${c.req.path} here`).toResponse())

app.onError((error, c) => {
  if (error instanceof HTTPException) return error.getResponse()
  const foreseen = error instanceof ProtocolError
  const told = foreseen ? error : new ProtocolError(500, 'internal_error', 'the worker failed; its log says why')
  if (told.status >= 500) {
    const { status, code, message } = told
    const why = foreseen ? { cause: words(error.cause) } : { stack: stackOf(error) }
    const request = { request_id: c.var.requestId, path: c.req.path }
    logLine({ event: 'request.failed', ...request, status, code, message, ...why })
  }
  return told.toResponse()
})

/** What this isolate has learned about depth, by kind of run. A new isolate learns anew. */
const depths = new Map<string, DepthPolicy>()

function depthsFor({ lookahead, sampling }: RunRequest): DepthPolicy | undefined {
  if (!(lookahead.adaptive ?? sampling.seed === undefined)) return undefined
  const { mode, depth, verifier } = lookahead
  const kind = `${mode}/${depth}/${verifier}/${sampling.temperature ?? 'model'}`
  const known = depths.get(kind) ?? new DepthPolicy(depth)
  // The kinds seen last are kept: temperatures are without number.
  depths.delete(kind)
  depths.set(kind, known)
  if (depths.size > MAX_KINDS) depths.delete(depths.keys().next().value!)
  return known
}

/** One line of JSON for the operator, whose fields a log can be searched by. */
const logLine = (fields: object): void => console.error(JSON.stringify(fields))
