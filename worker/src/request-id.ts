import type { MiddlewareHandler } from 'hono'
import type { App } from './settings.ts'

/**
 * Names every request, in its answer too. hono's own takes the name that a client sends; ours also names the run's
 * context at the backend, which no client may choose.
 */
export const requestId: MiddlewareHandler<App> = async (c, next) => {
  c.set('requestId', crypto.randomUUID())
  await next()
  c.res.headers.set('x-request-id', c.var.requestId)
}
