/** An OpenAI-compatible server as the target, as the worker knows it: every one of them lists its models. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import { enginesOf } from '../../engine-settings.ts'
import type { EngineBindings } from '../../engine-settings.ts'
import { PATIENCE_MS, firstTarget, isRefusal, refused, stateOfAll, unreachable } from '../engine.ts'
import type { Engine, EngineState, Target } from '../engine.ts'
import { openaiUpstream } from './index.ts'
import type { Role } from './failure.ts'
import { lackingIn, prepare } from './capabilities.ts'
import { modelsIn } from './model-list.ts'
import { Server, keyOf } from './server.ts'
import { addressesOf } from './transport.ts'
import type { ServerOptions } from './transport.ts'

/** Such servers do not say how large a model is, and few how long a text may be. */
const unknown = { created: 0, max_model_len: 0 }

export const openai: Engine = {
  upstream: (env, requestId, cacheSalt) => openaiUpstream({ ...enginesOf(env), requestId, cacheSalt }),
  async state(env, requestId, goOn) {
    const { target, draft, judge } = enginesOf(env)
    const stateAs = async (role: Role, server: ServerOptions): Promise<EngineState> => {
      const state = stateOfAll(await Promise.all(askersOf(server, requestId).map((ask) => stateOf(ask, role))))
      if (state.backend === 'ok' && role !== 'judge') goOn(prepare(new Server(role, server, { requestId })))
      return state
    }
    const [state, ofDraft, ofJudge] = await Promise.all([
      stateAs('target', target),
      draft && stateAs('draft', draft),
      // A binding cannot be asked.
      judge && !judge.fetch ? stateAs('judge', judge) : undefined,
    ])
    return { ...state, draft: ofDraft?.backend, judge: ofJudge?.backend, ...lackingOf(env) }
  },
  target: async (env, requestId) =>
    firstTarget(askersOf(enginesOf(env).target, requestId).map((ask) => targetOf(ask, env.TARGET_MODEL))),
}

/** @throws {ProtocolError} 500 `not_configured` */
function lackingOf(env: EngineBindings): Pick<EngineState, 'lacking'> {
  const { target, draft, judge } = enginesOf(env)
  const found = Object.entries({ target, draft, judge }).flatMap(([role, options]) => {
    const what = options ? lackingIn(keyOf(role as Role, options)) : []
    return what.length > 0 ? [[role, what] as const] : []
  })
  return found.length > 0 ? { lacking: Object.fromEntries(found) } : {}
}

/** Asks one of the servers for its models. @throws {ProtocolError} 503 `backend_unreachable` */
type Ask = () => Promise<Response>

function askersOf({ url, apiKey }: ServerOptions, requestId: string): Ask[] {
  const headers = { authorization: `Bearer ${apiKey ?? 'none'}`, 'x-request-id': requestId }
  return [url].flat().map((one) => async () => {
    try {
      return await fetch(`${addressesOf(one).base}/models`, { headers, signal: AbortSignal.timeout(PATIENCE_MS) })
    } catch (cause) {
      throw unreachable('the target', cause)
    }
  })
}

async function stateOf(ask: Ask, role: Role): Promise<EngineState> {
  try {
    const answer = await ask()
    if (isRefusal(answer)) return { backend: 'unauthorized' }
    const models = await modelsIn(answer)
    // Judges of some kinds list none.
    const isWell = role === 'judge' ? answer.status < 500 : answer.ok && models
    return { backend: isWell ? 'ok' : 'unreachable' }
  } catch {
    return { backend: 'unreachable' }
  }
}

async function targetOf(ask: Ask, name: string | undefined): Promise<Target> {
  const answer = await ask()
  const told = await modelsIn(answer)
  if (isRefusal(answer)) throw refused("the target refuses the worker: the worker's operator must set TARGET_API_KEY")
  if (!answer.ok || !told) throw new ProtocolError(502, 'backend_failed', 'the target did not list its models')
  const { created, max_model_len } = told.find(({ id }) => id === name) ?? unknown
  return { object: 'model', owned_by: 'lookahead', role: 'target', created, max_model_len, parameters: 0 }
}
