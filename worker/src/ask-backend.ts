/** What the worker asks the backend outside of runs. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import { backendOf } from './settings.ts'
import type { Bindings } from './settings.ts'

const TIMEOUT_MS = 5_000

/** @throws {ProtocolError} 503 `backend_unreachable`, 500 `not_configured` */
export async function askBackend(env: Bindings, path: string, requestId: string): Promise<Response> {
  const { baseURL, token, fetch = globalThis.fetch } = backendOf(env)
  const headers = { 'x-request-id': requestId, ...(token ? { authorization: `Bearer ${token}` } : {}) }
  try {
    return await fetch(`${baseURL}${path}`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (cause) {
    throw new ProtocolError(503, 'backend_unreachable', 'the GPU backend cannot be reached', { retryAfter: 2, cause })
  }
}

/** Whether it takes the worker for a stranger. */
export const isRefusal = ({ status }: Response): boolean => status === 401 || status === 403
