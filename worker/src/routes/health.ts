/** Whether the worker can serve runs. Never fails: whatever keeps it from them is an answer. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Health } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import * as v from 'valibot'
import { keysOf } from '../access/keys.ts'
import { limitsOf } from '../access/limits.ts'
import { askBackend, isRefusal } from '../ask-backend.ts'
import type { App, Bindings } from '../settings.ts'
import { upstreamOf } from '../upstreams/index.ts'

const BackendHealth = v.object({ status: v.picklist(['ok', 'loading', 'draining', 'failing']) })

export const health = new Hono<App>()

health.get('/health', async (c) => {
  const backend = await backendState(c.env, c.var.requestId)
  const answer: Health = { status: backend === 'ok' ? 'ok' : 'degraded', backend }
  return c.json(answer, backend === 'ok' ? 200 : 503)
})

async function backendState(env: Bindings, requestId: string): Promise<Health['backend']> {
  try {
    await keysOf(env)
    limitsOf(env)
    upstreamOf(env, requestId)
    // Health is for everyone; whether the token is right shows only where it is asked for.
    const ask = (path: string) => askBackend(env, path, requestId)
    const [own, guarded] = await Promise.all([ask('/health'), ask('/v1/models')])
    await guarded.body?.cancel()
    const said = v.safeParse(BackendHealth, await own.json().catch(() => undefined))
    if (isRefusal(guarded)) return 'unauthorized'
    return said.success ? said.output.status : 'unreachable'
  } catch (error) {
    return error instanceof ProtocolError && error.code === 'not_configured' ? 'not_configured' : 'unreachable'
  }
}
