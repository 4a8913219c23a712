import { ProtocolError } from './errors.ts'

/** Bodies that a browser sends to other sites without asking them first (https://fetch.spec.whatwg.org/#cors-safelisted-request-header). */
const UNASKED = /^(?:text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)\b/i

/**
 * Refuses what a page of another site can make its reader's browser send: without a token it would be taken for the reader's
 * own. Where a browser asks first, CORS answers.
 * @param allowed origins that CORS allows; `*`: all
 * @param setting by which the operator names them
 * @throws {ProtocolError} 403 `cross_site`
 */
export function refuseCrossSite(
  { method, headers, url }: Pick<Request, 'method' | 'headers' | 'url'>,
  allowed: '*' | readonly string[],
  setting: string,
): void {
  const origin = headers.get('origin')
  const isUnasked = method === 'POST' && UNASKED.test(headers.get('content-type') ?? 'text/plain')
  const isOther = origin !== null && hostOf(origin) !== (headers.get('host') ?? hostOf(url))
  if (isUnasked && isOther && allowed !== '*' && !allowed.includes('*') && !allowed.includes(origin))
    throw new ProtocolError(
      403,
      'cross_site',
      `pages of other sites may not call here, unless ${setting} names them; anyone else sends the body as application/json`,
    )
}

const hostOf = (url: string): string | undefined => URL.parse(url)?.host
