/** Our GPU backend, as the worker knows it. */
import { ErrorBody, Models, ProtocolError, parseRetryAfter } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { backendOf } from '../settings.ts'
import type { Bindings } from '../settings.ts'
import { PATIENCE_MS, firstTarget, isRefusal, refused, stateOfAll, unreachable } from './engine.ts'
import type { Engine, EngineState, Target } from './engine.ts'
import { UNAUTHORIZED, failure } from './native-call.ts'
import { nativeUpstream } from './native.ts'

const BackendHealth = v.object({
  status: v.picklist(['ok', 'loading', 'draining', 'failing']),
  version: v.optional(v.string()),
})

export const native: Engine = {
  upstream: (env, requestId, cacheSalt) => {
    const { baseURLs: baseURL, ...rest } = backendOf(env)
    return nativeUpstream({ baseURL, ...rest, requestId, cacheSalt })
  },

  async state(env, requestId) {
    return stateOfAll(await Promise.all(askersOf(env, requestId).map(stateOf)))
  },

  target: async (env, requestId) => firstTarget(askersOf(env, requestId).map(targetOf)),
}

/** Asks one of the backends. @throws {ProtocolError} 503 `backend_unreachable` */
type Ask = (path: string) => Promise<Response>

/** @throws {ProtocolError} 500 `not_configured` */
function askersOf(env: Bindings, requestId: string): Ask[] {
  const { baseURLs, token, fetch = globalThis.fetch } = backendOf(env)
  const headers = { 'x-request-id': requestId, ...(token ? { authorization: `Bearer ${token}` } : {}) }
  return baseURLs.map((url) => async (path) => {
    try {
      return await fetch(url + path, { headers, signal: AbortSignal.timeout(PATIENCE_MS) })
    } catch (cause) {
      throw unreachable('the GPU backend', cause)
    }
  })
}

async function stateOf(ask: Ask): Promise<EngineState> {
  try {
    const asked = Date.now()
    // Health is for everyone; whether the token is right shows only where it is asked for.
    const [own, guarded] = await Promise.all([ask('/health'), ask('/v1/models')])
    const backend_ms = Date.now() - asked
    await guarded.body?.cancel()
    const said = v.safeParse(BackendHealth, await own.json().catch(() => undefined))
    if (isRefusal(guarded)) return { backend: 'unauthorized', backend_ms }
    if (!said.success) return { backend: 'unreachable' }
    const { status, version } = said.output
    return { backend: status, backend_ms, ...(version === undefined ? {} : { backend_version: version }) }
  } catch {
    return { backend: 'unreachable' }
  }
}

async function targetOf(ask: Ask): Promise<Target | undefined> {
  const answer = await ask('/v1/models')
  const told: unknown = await answer.json().catch(() => undefined)
  if (isRefusal(answer)) throw refused(UNAUTHORIZED)
  if (answer.ok && v.is(Models, told)) return told.data.find(({ role }) => role === 'target')
  throw refusal(answer, told)
}

/** Why the backend does not list its models, where that may pass: that it is loading, for example. */
function refusal({ ok, status, headers }: Response, told: unknown): ProtocolError {
  const failed = !ok && v.is(ErrorBody, told) ? failure(told, { status }) : undefined
  if (!failed?.retryable) return new ProtocolError(502, 'backend_failed', 'the backend did not list its models')
  const ms = parseRetryAfter(headers.get('retry-after'))
  return new ProtocolError(status, failed.code, failed.message, ms === undefined ? {} : { retryAfter: ms / 1000 })
}
