import { timingSafeEqual } from 'node:crypto'
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { MiddlewareHandler } from 'hono'

/** Asks every call for the token; without one, nothing is asked. @throws {ProtocolError} 401 `invalid_api_key` */
export const bearer = (token: string | undefined): MiddlewareHandler =>
  async function checkToken(c, next) {
    if (token !== undefined && !sameText(c.req.header('authorization') ?? '', `Bearer ${token}`))
      throw new ProtocolError(401, 'invalid_api_key', 'send the token as "Authorization: Bearer …"')
    await next()
  }

function sameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)]
  return x.length === y.length && timingSafeEqual(x, y)
}
