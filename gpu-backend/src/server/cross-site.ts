import { ProtocolError } from '@lookahead/sdk/protocol'
import type { MiddlewareHandler } from 'hono'

/** Bodies that a browser sends to other sites without asking them first (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). */
const UNASKED = /^(?:text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)\b/i

/**
 * Refuses what a page of another site can make its reader's browser send: without a token it would be taken for the reader's
 * own. Where a browser asks first, there is no CORS here that would allow it.
 * @throws {ProtocolError} 403 `cross_site`
 */
export const refuseCrossSite: MiddlewareHandler = async function refuseOthersPages(c, next) {
  const { method } = c.req
  const origin = c.req.header('origin')
  const isUnasked = method === 'POST' && UNASKED.test(c.req.header('content-type') ?? 'text/plain')
  if (isUnasked && origin !== undefined && hostOf(origin) !== c.req.header('host'))
    throw new ProtocolError(
      403,
      'cross_site',
      'pages of other sites may not call this backend; anyone else sends the body as application/json',
    )
  return next()
}

const hostOf = (origin: string): string | undefined => URL.parse(origin)?.host
