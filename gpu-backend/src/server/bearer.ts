import { ProtocolError } from '@lookahead/sdk/protocol'
import type { MiddlewareHandler } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'

/**
 * Asks every call for the token; without one, nothing is asked. Throws hono's `HTTPException`, whose response is ours:
 * 401 `invalid_api_key` with a challenge.
 */
export function bearer(token: string | undefined): MiddlewareHandler {
  if (token === undefined) return (_, next) => next()
  const refusal = new ProtocolError(401, 'invalid_api_key', 'send the token as "Authorization: Bearer …"')
  const refused = { message: () => refusal.toResponse() }
  return bearerAuth({
    token,
    realm: 'lookahead',
    noAuthenticationHeader: refused,
    invalidAuthenticationHeader: refused,
    invalidToken: refused,
  })
}
