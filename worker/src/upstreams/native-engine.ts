/** Our GPU backend, as the worker knows it. */
import { ErrorBody, Models, ProtocolError, parseRetryAfter } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { backendOf } from '../settings.ts'
import type { Bindings } from '../settings.ts'
import { PATIENCE_MS, isRefusal, refused, unreachable } from './engine.ts'
import type { Engine } from './engine.ts'
import { UNAUTHORIZED } from './native-call.ts'
import { nativeUpstream } from './native.ts'

const BackendHealth = v.object({
  status: v.picklist(['ok', 'loading', 'draining', 'failing']),
  version: v.optional(v.string()),
})

export const native: Engine = {
  upstream: (env, requestId) => nativeUpstream({ ...backendOf(env), requestId }),

  async state(env, requestId) {
    // Health is for everyone; whether the token is right shows only where it is asked for.
    const asked = Date.now()
    const [own, guarded] = await Promise.all(['/health', '/v1/models'].map((path) => ask(env, path, requestId)))
    const backend_ms = Date.now() - asked
    await guarded!.body?.cancel()
    const said = v.safeParse(BackendHealth, await own!.json().catch(() => undefined))
    if (isRefusal(guarded!)) return { backend: 'unauthorized', backend_ms }
    if (!said.success) return { backend: 'unreachable' }
    const { status, version } = said.output
    return { backend: status, backend_ms, ...(version === undefined ? {} : { backend_version: version }) }
  },

  async target(env, requestId) {
    const answer = await ask(env, '/v1/models', requestId)
    const told: unknown = await answer.json().catch(() => undefined)
    if (isRefusal(answer)) throw refused(UNAUTHORIZED)
    if (answer.ok && v.is(Models, told)) return told.data.find(({ role }) => role === 'target')
    throw refusal(answer, told)
  },
}

/** @throws {ProtocolError} 503 `backend_unreachable`, 500 `not_configured` */
async function ask(env: Bindings, path: string, requestId: string): Promise<Response> {
  const { baseURL, token, fetch = globalThis.fetch } = backendOf(env)
  const headers = { 'x-request-id': requestId, ...(token ? { authorization: `Bearer ${token}` } : {}) }
  try {
    return await fetch(`${baseURL}${path}`, { headers, signal: AbortSignal.timeout(PATIENCE_MS) })
  } catch (cause) {
    throw unreachable('the GPU backend', cause)
  }
}

/** The backend's own words, where it has any: that it is loading, for example. */
function refusal({ ok, status, headers }: Response, told: unknown): ProtocolError {
  if (ok || !v.is(ErrorBody, told))
    return new ProtocolError(502, 'backend_failed', 'the backend did not list its models')
  const { code, message } = told.error
  const ms = parseRetryAfter(headers.get('retry-after'))
  return new ProtocolError(status, code ?? 'backend_failed', message, ms === undefined ? {} : { retryAfter: ms / 1000 })
}
