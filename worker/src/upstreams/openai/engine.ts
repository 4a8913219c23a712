/** An OpenAI-compatible server as the target, as the worker knows it: every one of them lists its models. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { enginesOf } from '../../engine-settings.ts'
import type { EngineBindings } from '../../engine-settings.ts'
import { PATIENCE_MS, isRefusal, refused, unreachable } from '../engine.ts'
import type { Engine } from '../engine.ts'
import { openaiUpstream } from './index.ts'
import { addressesOf } from './server.ts'

const count = v.fallback(v.number(), 0)

const Listed = v.object({ data: v.array(v.object({ id: v.string(), created: count, max_model_len: count })) })

/** Such servers do not say how large a model is, and few how long a text may be. */
const unknown = { created: 0, max_model_len: 0 }

export const openai: Engine = {
  upstream: (env) => openaiUpstream(enginesOf(env)),

  async state(env) {
    const answer = await list(env)
    await answer.body?.cancel()
    return { backend: answer.ok ? 'ok' : isRefusal(answer) ? 'unauthorized' : 'unreachable' }
  },

  async target(env) {
    const answer = await list(env)
    const told = v.safeParse(Listed, await answer.json().catch(() => undefined))
    if (isRefusal(answer)) throw refused("the target refuses the worker: the worker's operator must set TARGET_API_KEY")
    if (!answer.ok || !told.success)
      throw new ProtocolError(502, 'backend_failed', 'the target did not list its models')
    const { created, max_model_len } = told.output.data.find(({ id }) => id === env.TARGET_MODEL) ?? unknown
    return { object: 'model', owned_by: 'lookahead', role: 'target', created, max_model_len, parameters: 0 }
  },
}

/** @throws {ProtocolError} 503 `backend_unreachable`, 500 `not_configured` */
async function list(env: EngineBindings): Promise<Response> {
  const { url, apiKey } = enginesOf(env).target
  try {
    const headers = { authorization: `Bearer ${apiKey ?? 'none'}` }
    return await fetch(`${addressesOf(url).base}/models`, { headers, signal: AbortSignal.timeout(PATIENCE_MS) })
  } catch (cause) {
    throw unreachable('the target', cause)
  }
}
