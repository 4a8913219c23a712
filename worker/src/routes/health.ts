/** Whether the worker can serve runs. Never fails: whatever keeps it from them is an answer. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Health, HealthDetails } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import packageJson from '../../package.json' with { type: 'json' }
import { keysOf } from '../access/keys.ts'
import { limitsOf } from '../access/limits.ts'
import type { App, Bindings } from '../settings.ts'
import type { EngineState } from '../upstreams/engine.ts'
import { engineOf } from '../upstreams/index.ts'

export const health = new Hono<App>()

health.get('/health', async (c) => {
  const { backend, ...details } = await stateOf(c.env, c.var.requestId)
  const answer: Health = { status: backend === 'ok' ? 'ok' : 'degraded', backend }
  const status = backend === 'ok' ? 200 : 503
  if (c.req.query('details') === undefined) return c.json(answer, status)
  const engine = c.env.ENGINE || 'native'
  return c.json({ ...answer, version: packageJson.version, engine, ...details } satisfies HealthDetails, status)
})

async function stateOf(env: Bindings, requestId: string): Promise<EngineState> {
  try {
    await keysOf(env)
    limitsOf(env)
    return await engineOf(env).state(env, requestId)
  } catch (error) {
    const isSetting = error instanceof ProtocolError && error.code === 'not_configured'
    return { backend: isSetting ? 'not_configured' : 'unreachable' }
  }
}
