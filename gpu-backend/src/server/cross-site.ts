import { ProtocolError } from '@lookahead/sdk/protocol'
import type { MiddlewareHandler } from 'hono'

/** Bodies that a browser sends to other sites without asking them first (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). */
const UNASKED = /^(?:text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)\b/i

/**
 * Refuses what a page of another site can make its reader's browser send: without a token it would be taken for the reader's
 * own. Where a browser asks first, CORS answers.
 * @param allowed origins that CORS allows; `*`: all
 * @throws {ProtocolError} 403 `cross_site`
 */
export function refuseCrossSite(allowed: readonly string[]): MiddlewareHandler {
  return async function refuseOthersPages(c, next) {
    const { method } = c.req
    const origin = c.req.header('origin')
    const isUnasked = method === 'POST' && UNASKED.test(c.req.header('content-type') ?? 'text/plain')
    const isOther = origin !== undefined && hostOf(origin) !== c.req.header('host')
    if (isUnasked && isOther && !allowed.includes('*') && !allowed.includes(origin))
      throw new ProtocolError(
        403,
        'cross_site',
        'pages of other sites may not call this backend, unless --cors names them; anyone else sends the body as application/json',
      )
    return next()
  }
}

const hostOf = (origin: string): string | undefined => URL.parse(origin)?.host
