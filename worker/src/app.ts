import { ProtocolError, RunRequest, eventStream, parseRequest, readJson } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { Backend, DepthPolicy, run } from './lookahead/index.ts'

const MAX_BODY_BYTES = 1024 * 1024
/** Kinds of run whose best depth is remembered. */
const MAX_KINDS = 64
/** workerd notices that a client has left when it next writes, so a silent stream must not stay silent for long. */
const HEARTBEAT_MS = 2_000

/** What `wrangler.toml` and the secrets give the worker. */
export interface Bindings {
  /** Where the GPU backend listens. */
  BACKEND_URL?: string
  /** Bearer token that the backend asks for. */
  BACKEND_TOKEN?: string
  /** Bearer token that clients must show. Default: none asked. */
  API_KEY?: string
}

type App = { Bindings: Bindings; Variables: { requestId: string } }

export const app = new Hono<App>()

app.use(cors({ origin: '*', exposeHeaders: ['x-request-id', 'retry-after'] }))

app.use(async function requestId(c, next) {
  c.set('requestId', crypto.randomUUID())
  await next()
  c.res.headers.set('x-request-id', c.var.requestId)
})

app.use('/v1/*', async function bearer(c, next) {
  const { API_KEY } = c.env
  if (API_KEY && !(await sameText(c.req.header('authorization') ?? '', `Bearer ${API_KEY}`)))
    throw new ProtocolError(401, 'invalid_api_key', 'send the API key as "Authorization: Bearer …"')
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

/** Streams one run. The client leaving, however it is noticed, stops everything down to the backend. */
app.post('/v1/runs', async (c) => {
  const request = parseRequest(RunRequest, await readJson(c.req.raw))
  const backend = new Backend({ baseURL: backendURL(c.env), token: c.env.BACKEND_TOKEN })
  const left = new AbortController()
  const signal = AbortSignal.any([left.signal, c.req.raw.signal])
  const settled = Promise.withResolvers<void>()
  async function* events() {
    try {
      yield* run(request, backend, { runId: c.var.requestId, signal, depths: depthsFor(request) })
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

app.get('/v1/models', (c) => passOn(c.env, '/v1/models'))

app.get('/health', async (c) => {
  const backend = await passOn(c.env, '/health').catch(() => undefined)
  await backend?.body?.cancel()
  const reachable = backend?.ok ?? false
  return c.json(
    { status: reachable ? 'ok' : 'degraded', backend: reachable ? 'ok' : 'unreachable' },
    reachable ? 200 : 503,
  )
})

app.notFound((c) => new ProtocolError(404, 'not_found', `no ${c.req.method} ${c.req.path} here`).toResponse())

app.onError((error) => {
  if (error instanceof ProtocolError) return error.toResponse()
  console.error(error)
  return new ProtocolError(500, 'internal_error', 'the worker failed; its log says why').toResponse()
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

function backendURL({ BACKEND_URL }: Bindings): string {
  if (!BACKEND_URL || !URL.canParse(BACKEND_URL))
    throw new ProtocolError(500, 'not_configured', 'set BACKEND_URL in wrangler.toml to the address of the GPU backend')
  return BACKEND_URL.replace(/\/+$/, '')
}

async function passOn(env: Bindings, path: string): Promise<Response> {
  const headers: HeadersInit = env.BACKEND_TOKEN ? { authorization: `Bearer ${env.BACKEND_TOKEN}` } : {}
  try {
    const response = await fetch(`${backendURL(env)}${path}`, { headers, signal: AbortSignal.timeout(5000) })
    return new Response(response.body, { status: response.status, headers: { 'content-type': 'application/json' } })
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause
    throw new ProtocolError(503, 'backend_unreachable', 'the GPU backend cannot be reached', { retryAfter: 2, cause })
  }
}

/** Compares digests, so that the time taken tells nothing of where the texts differ. */
async function sameText(a: string, b: string): Promise<boolean> {
  const digest = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  const [x, y] = await Promise.all([digest(a), digest(b)])
  return x.every((byte, i) => byte === y[i])
}
