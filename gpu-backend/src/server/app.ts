import packageJson from '../../package.json' with { type: 'json' }
import { Bodies, ProtocolError, bearerOptions, refuseCrossSite } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { requestId } from 'hono/request-id'
import type { Engine } from '../engine/engine.ts'
import type { ModelRunner } from '../engine/model-runner.ts'
import { Calls } from './calls.ts'
import { requestNames } from './caller.ts'
import { publicError } from './errors.ts'
import { lookaheadRoutes } from './lookahead.ts'
import { Metrics } from './metrics.ts'
import { modelRoutes } from './models.ts'
import { openaiRoutes } from './openai/routes.ts'
import { CONTENT_TYPE } from './prometheus.ts'

const MAX_BODY_BYTES = 4 * 1024 * 1024
/** Of all bodies that are being read. */
const MAX_BODIES_BYTES = 64 * 1024 * 1024

export interface AppOptions {
  /** Undefined while the models load. */
  engine: () => Engine | undefined
  /** True once the server is shutting down: texts that have begun go on, others do not begin. */
  draining: () => boolean
  /** Bearer tokens, one of which every call but `/health` must show. Default: none asked. */
  token?: string | readonly string[] | undefined
  /** Origins whose pages may call, `*` for all. Default: none. */
  cors?: readonly string[] | undefined
  /** Where calls under way are kept, for those who want to wait for them. */
  calls?: Calls
}

/** The backend's HTTP surface. Errors are OpenAI error objects; before streaming with a status, afterwards as an event. */
export function createApp({ engine, draining, token, cors: origins = [], calls = new Calls() }: AppOptions): Hono {
  const app = new Hono()
  const metrics = new Metrics()

  const ready = (context = ''): Engine => {
    if (draining() && !engine()?.contexts.find(context))
      throw new ProtocolError(503, 'draining', 'the backend is shutting down', { retryAfter: 5 })
    const loaded = engine()
    if (!loaded) throw new ProtocolError(503, 'loading', 'the models are still loading', { retryAfter: 1 })
    return loaded
  }

  if (origins.length > 0) {
    const origin = origins.includes('*') ? '*' : [...origins]
    app.use(cors({ origin, exposeHeaders: ['x-request-id', 'retry-after', 'www-authenticate'] }))
  }
  app.use(requestId())
  app.use(async function tellRequestId(c, next) {
    await next()
    // hono's own header is only on answers that are made by `c`.
    c.res.headers.set('x-request-id', c.get('requestId'))
  })

  app.get('/health', (c) => {
    if (draining()) return c.json({ status: 'draining' }, 503)
    const loaded = engine()
    if (!loaded) return c.json({ status: 'loading' }, 503)
    // Without its helpers the target goes on.
    if (loaded.target.batcher.failing) return c.json({ status: 'failing' }, 503)
    const slots = ({ kv: { pool } }: ModelRunner) => ({ total: pool.size, free: pool.available })
    return c.json({
      status: 'ok',
      version: packageJson.version,
      slots: slots(loaded.target),
      pools: Object.fromEntries(loaded.runners.map(({ role, runner }) => [role, slots(runner)])),
      judge: loaded.judge !== undefined,
      contexts: loaded.contexts.size,
      running: calls.running,
    })
  })

  app.use(async function refuseOthersPages(c, next) {
    refuseCrossSite(c.req.raw, origins, '--cors')
    await next()
  })
  if (token !== undefined) app.use(bearerAuth(bearerOptions(token, 'token')))
  const bodies = new Bodies()
  app.use((c, next) => {
    const limits = { most: MAX_BODY_BYTES, together: MAX_BODIES_BYTES }
    return bodies.within(c.req.raw, limits, async (request) => {
      c.req.raw = request
      await next()
    })
  })

  app.get('/metrics', (c) => c.body(metrics.render(calls, engine()), 200, { 'content-type': CONTENT_TYPE }))

  const service = { ready, isGuarded: token !== undefined, calls, metrics }
  app.route('/', modelRoutes(service))
  app.route('/', lookaheadRoutes(service))
  app.route('/', openaiRoutes(service))

  app.notFound((c) => new ProtocolError(404, 'not_found', `no ${c.req.method} ${c.req.path} here`).toResponse())
  app.onError((error, c) =>
    error instanceof HTTPException ? error.getResponse() : publicError(error, requestNames(c)).toResponse(),
  )
  return app
}
