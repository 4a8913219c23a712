import { ProtocolError } from '@lookahead/sdk/protocol'
import type { MiddlewareHandler } from 'hono'
import { bearerAuth } from 'hono/bearer-auth'

/** Asks for the API key. Throws hono's `HTTPException`, whose response is ours: 401 `invalid_api_key` with a challenge. */
export function bearer(token: string): MiddlewareHandler {
  const refusal = new ProtocolError(401, 'invalid_api_key', 'send the API key as "Authorization: Bearer …"')
  const refused = { message: () => refusal.toResponse() }
  return bearerAuth({
    token,
    realm: 'lookahead',
    noAuthenticationHeader: refused,
    invalidAuthenticationHeader: refused,
    invalidToken: refused,
  })
}
