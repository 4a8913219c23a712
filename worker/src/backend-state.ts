/** What the worker asks the backend outside of runs. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Health } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { UNAUTHORIZED } from './lookahead/index.ts'
import { apiKeyOf, backendOf } from './settings.ts'
import type { Bindings } from './settings.ts'

const PATIENCE_MS = 5_000

const BackendHealth = v.object({ status: v.picklist(['ok', 'loading', 'draining', 'failing']) })

/** @throws {ProtocolError} 502 `backend_unauthorized`, 503 `backend_unreachable`, 500 `not_configured` */
export async function models(env: Bindings, requestId: string): Promise<Response> {
  const { status, headers, body } = await get(env, '/v1/models', requestId)
  if (isRefusal(status)) {
    await body?.cancel()
    throw new ProtocolError(502, 'backend_unauthorized', UNAUTHORIZED)
  }
  const retryAfter = headers.get('retry-after')
  return new Response(body, {
    status,
    headers: { 'content-type': 'application/json', ...(retryAfter ? { 'retry-after': retryAfter } : {}) },
  })
}

/** Never fails: whatever keeps the worker from serving runs is an answer. */
export async function backendState(env: Bindings, requestId: string): Promise<Health['backend']> {
  try {
    apiKeyOf(env)
    // Health is for everyone; whether the token is right shows only where it is asked for.
    const [health, guarded] = await Promise.all([get(env, '/health', requestId), get(env, '/v1/models', requestId)])
    await guarded.body?.cancel()
    const own = v.safeParse(BackendHealth, await health.json().catch(() => undefined))
    if (isRefusal(guarded.status)) return 'unauthorized'
    return own.success ? own.output.status : 'unreachable'
  } catch (error) {
    return error instanceof ProtocolError && error.code === 'not_configured' ? 'not_configured' : 'unreachable'
  }
}

const isRefusal = (status: number): boolean => status === 401 || status === 403

async function get(env: Bindings, path: string, requestId: string): Promise<Response> {
  const { baseURL, token } = backendOf(env)
  const headers = { 'x-request-id': requestId, ...(token ? { authorization: `Bearer ${token}` } : {}) }
  try {
    return await fetch(`${baseURL}${path}`, { headers, signal: AbortSignal.timeout(PATIENCE_MS) })
  } catch (cause) {
    throw new ProtocolError(503, 'backend_unreachable', 'the GPU backend cannot be reached', { retryAfter: 2, cause })
  }
}
