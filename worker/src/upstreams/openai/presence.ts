/** Whether the target is there, outside of runs: every OpenAI-compatible server lists its models. */
import type { Models } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { enginesOf } from '../../engine-settings.ts'
import type { EngineBindings } from '../../engine-settings.ts'
import { addressesOf } from './server.ts'

const TIMEOUT_MS = 5_000

const Listed = v.object({
  data: v.array(v.object({ id: v.string(), created: v.nullish(v.number()), max_model_len: v.nullish(v.number()) })),
})

interface Presence {
  state: 'ok' | 'unauthorized' | 'unreachable'
  /** What it says of the model, where it says so much. */
  model: Pick<Models['data'][number], 'created' | 'max_model_len'>
}

/** Never fails but for settings. @throws {ProtocolError} 500 `not_configured` */
export async function presence(env: EngineBindings): Promise<Presence> {
  const { url, model: name, apiKey } = enginesOf(env).target
  const unknown = { created: 0, max_model_len: 0 }
  try {
    const headers = { authorization: `Bearer ${apiKey ?? 'none'}` }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const answer = await fetch(`${addressesOf(url).base}/models`, { headers, signal })
    const told = v.safeParse(Listed, await answer.json().catch(() => undefined))
    if (answer.status === 401 || answer.status === 403) return { state: 'unauthorized', model: unknown }
    if (!answer.ok) return { state: 'unreachable', model: unknown }
    const model = told.success ? told.output.data.find(({ id }) => id === name) : undefined
    return { state: 'ok', model: { created: model?.created ?? 0, max_model_len: model?.max_model_len ?? 0 } }
  } catch {
    return { state: 'unreachable', model: unknown }
  }
}
