import { ProtocolError } from './errors.ts'

/**
 * What hono's `bearerAuth` takes to ask every call for `token`. It throws an `HTTPException` whose response is ours: 401
 * `invalid_api_key`, with a challenge.
 * @param called what a caller knows it as, such as "API key"
 */
export function bearerOptions(token: string, called: string) {
  const refusal = new ProtocolError(401, 'invalid_api_key', `send the ${called} as "Authorization: Bearer …"`)
  const refused = { message: () => refusal.toResponse() }
  return {
    token,
    realm: 'lookahead',
    noAuthenticationHeader: refused,
    invalidAuthenticationHeader: refused,
    invalidToken: refused,
  }
}
