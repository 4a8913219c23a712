/** Who may call, how often, and with how much: what every request under `/v1` passes first. */
import { Bodies, ProtocolError, bearerRefusals, refuseCrossSite } from '@lookahead/sdk/protocol'
import type { MiddlewareHandler } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'
import { cors } from 'hono/cors'
import { retrySeconds } from '../failure.ts'
import type { App } from '../settings.ts'
import { findKey, keysOf } from './keys.ts'
import { limitsOf } from './limits.ts'

/** Lets pages of the operator's choice read the answers. Where the settings cannot be, that is told by what reads them next. */
export const letPagesCall: MiddlewareHandler<App> = cors({
  origin(origin, c) {
    try {
      const { origins } = limitsOf(c.env)
      if (origins === '*') return '*'
      return origins.includes(origin) ? origin : null
    } catch {
      return null
    }
  },
  exposeHeaders: ['x-request-id', 'retry-after', 'www-authenticate'],
})

/** Refuses what others' pages send unasked; the browser then keeps only the answer from them. */
export const refusePages: MiddlewareHandler<App> = async (c, next) => {
  refuseCrossSite(c.req.raw, limitsOf(c.env).origins, 'CORS_ORIGINS')
  await next()
}

/** Names the caller, by its key where keys are asked for, else by its address. */
export const askForKey: MiddlewareHandler<App> = async (c, next) => {
  const keys = await keysOf(c.env)
  if (keys.length === 0) {
    c.set('caller', { name: c.req.header('cf-connecting-ip') ?? 'anybody' })
    return next()
  }
  const verifyToken = async (shown: string) => {
    const key = await findKey(keys, shown)
    if (key) c.set('caller', { ...key, cacheSalt: key.name })
    return key !== undefined
  }
  return bearerAuth<App>({ ...bearerRefusals('API key'), verifyToken })(c, next)
}

/** The binding's window is 10 or 60 s, and does not tell how much of it is left. */
const RATE_RETRY_SECONDS = [10, 20] as const

export const limitRate: MiddlewareHandler<App> = async (c, next) => {
  const { RATE_LIMIT } = c.env
  if (c.req.method !== 'POST' || !RATE_LIMIT || (await RATE_LIMIT.limit({ key: c.var.caller.name })).success)
    return next()
  const message = 'this key has sent too many requests: wait as Retry-After says'
  throw new ProtocolError(429, 'rate_limit_exceeded', message, { retryAfter: retrySeconds(...RATE_RETRY_SECONDS) })
}

/** Of all bodies that an isolate is reading, which has 128 MB in all. @see https://developers.cloudflare.com/workers/platform/limits/ */
const BODIES_BYTES = 32 * 1024 * 1024
const bodies = new Bodies()

export const limitBody: MiddlewareHandler<App> = (c, next) => {
  const most = limitsOf(c.env).bodyBytes
  return bodies.within(c.req.raw, { most, together: Math.max(most, BODIES_BYTES) }, async (request) => {
    c.req.raw = request
    await next()
  })
}
