/** Whether the worker can serve runs. Never fails: whatever keeps it from them is an answer. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Health, HealthDetails } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import * as v from 'valibot'
import packageJson from '../../package.json' with { type: 'json' }
import { keysOf } from '../access/keys.ts'
import { limitsOf } from '../access/limits.ts'
import { askBackend, isRefusal } from '../ask-backend.ts'
import type { App, Bindings } from '../settings.ts'
import { upstreamOf } from '../upstreams/index.ts'
import { presence } from '../upstreams/openai/presence.ts'

const BackendHealth = v.object({
  status: v.picklist(['ok', 'loading', 'draining', 'failing']),
  version: v.optional(v.string()),
})

export const health = new Hono<App>()

health.get('/health', async (c) => {
  const { backend, ...details } = await backendState(c.env, c.var.requestId)
  const answer: Health = { status: backend === 'ok' ? 'ok' : 'degraded', backend }
  const status = backend === 'ok' ? 200 : 503
  if (c.req.query('details') === undefined) return c.json(answer, status)
  return c.json({ ...answer, version: packageJson.version, ...details } satisfies HealthDetails, status)
})

type BackendState = Pick<HealthDetails, 'backend' | 'backend_version' | 'backend_ms'>

async function backendState(env: Bindings, requestId: string): Promise<BackendState> {
  try {
    await keysOf(env)
    limitsOf(env)
    upstreamOf(env, requestId)
    if (env.ENGINE === 'openai') return { backend: (await presence(env)).state }
    // Health is for everyone; whether the token is right shows only where it is asked for.
    const ask = (path: string) => askBackend(env, path, requestId)
    const asked = Date.now()
    const [own, guarded] = await Promise.all([ask('/health'), ask('/v1/models')])
    const backend_ms = Date.now() - asked
    await guarded.body?.cancel()
    const said = v.safeParse(BackendHealth, await own.json().catch(() => undefined))
    if (isRefusal(guarded)) return { backend: 'unauthorized', backend_ms }
    if (!said.success) return { backend: 'unreachable' }
    const { status, version } = said.output
    return { backend: status, backend_ms, ...(version === undefined ? {} : { backend_version: version }) }
  } catch (error) {
    const isSetting = error instanceof ProtocolError && error.code === 'not_configured'
    return { backend: isSetting ? 'not_configured' : 'unreachable' }
  }
}
