/** Whether the worker can serve runs. Never fails: whatever keeps it from them is an answer. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Health, HealthDetails } from '@lookahead/sdk/protocol'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { keysOf } from '../access/keys.ts'
import { limitsOf } from '../access/limits.ts'
import type { App } from '../settings.ts'
import type { EngineState } from '../upstreams/engine.ts'
import { engineOf } from '../upstreams/index.ts'
import { VERSION } from '../version.ts'

export const health = new Hono<App>()

health.get('/health', async (c) => {
  const { backend, ...details } = await stateOf(c)
  const { draft = 'ok', judge = 'ok' } = details
  const isWell = [backend, draft, judge].every((state) => state === 'ok')
  const answer: Health = { status: isWell ? 'ok' : 'degraded', backend }
  const status = backend === 'ok' ? 200 : 503
  if (c.req.query('details') === undefined) return c.json(answer, status)
  const engine = c.env.ENGINE || 'native'
  return c.json({ ...answer, version: VERSION, engine, ...details } satisfies HealthDetails, status)
})

async function stateOf(c: Context<App>): Promise<EngineState> {
  const { env } = c
  try {
    await keysOf(env)
    limitsOf(env)
    return await engineOf(env).state(env, c.var.requestId, (work) => c.executionCtx.waitUntil(work))
  } catch (error) {
    const isSetting = error instanceof ProtocolError && error.code === 'not_configured'
    return { backend: isSetting ? 'not_configured' : 'unreachable' }
  }
}
