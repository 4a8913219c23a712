import { ProtocolError } from './errors.ts'

/**
 * What hono's `bearerAuth` takes to ask every call for `token`, or one of several. It throws an `HTTPException` whose response is ours: 401
 * `invalid_api_key`, with a challenge.
 * @param called what a caller knows it as, such as "API key"
 */
export function bearerOptions(token: string | readonly string[], called: string) {
  return { token: typeof token === 'string' ? token : [...token], ...bearerRefusals(called) }
}

/** What it takes to refuse, for one who looks at tokens by itself. */
export function bearerRefusals(called: string) {
  const refusal = new ProtocolError(401, 'invalid_api_key', `send the ${called} as "Authorization: Bearer …"`)
  const refused = { message: () => refusal.toResponse() }
  return {
    realm: 'lookahead',
    noAuthenticationHeader: refused,
    invalidAuthenticationHeader: refused,
    invalidToken: refused,
  }
}
