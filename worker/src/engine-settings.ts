/** What `wrangler.toml` and the secrets say of engines that speak OpenAI's API (`ENGINE = "openai"`). */
import { addressesIn, isAddress, notConfigured, timeoutOf } from './setting-values.ts'
import { judgeProtocols } from './upstreams/openai/index.ts'
import type { OpenAIOptions } from './upstreams/openai/index.ts'
import { WORKERS_AI, fetchFrom } from './upstreams/openai/workers-ai.ts'
import type { AiBinding } from './upstreams/openai/workers-ai.ts'

/** Of each model: where it is served (vLLM, SGLang, llama-server, our own backend, a cloud), perhaps by several that are alike, its name there, and a secret. */
export interface EngineBindings {
  TARGET_URL?: string
  TARGET_MODEL?: string
  TARGET_API_KEY?: string
  /** Default: no draft, and the target writes alone. */
  DRAFT_URL?: string
  DRAFT_MODEL?: string
  DRAFT_API_KEY?: string
  /** Default: no judge, and only steps equal to the target's own are accepted. */
  JUDGE_URL?: string
  JUDGE_MODEL?: string
  JUDGE_API_KEY?: string
  /** How it is asked: `chat` (default), or a decision model by `systemone` or `decisions`. */
  JUDGE_PROTOCOL?: string
  /** Workers AI, which has the judge where there is no `JUDGE_URL` and `JUDGE_MODEL` is one of its decision models. */
  AI?: AiBinding
  BACKEND_TIMEOUT_SECONDS?: string
}

type Role = 'TARGET' | 'DRAFT' | 'JUDGE'

/** @throws {ProtocolError} 500 `not_configured` */
export function enginesOf(env: EngineBindings): OpenAIOptions {
  const target = serverOf(env, 'TARGET')
  if (!target) throw notConfigured('TARGET_URL', 'to the address of an OpenAI-compatible server')
  return { target, draft: serverOf(env, 'DRAFT'), judge: judgeOf(env), timeoutMs: timeoutOf(env) }
}

function judgeOf(env: EngineBindings): OpenAIOptions['judge'] {
  const judge = serverOf(env, 'JUDGE') ?? workersAi(env)
  const protocol = judgeProtocols.find((known) => known === (env.JUDGE_PROTOCOL || 'chat'))
  if (judge && !protocol) throw notConfigured('JUDGE_PROTOCOL', `to one of: ${judgeProtocols.join(', ')}`)
  return judge && { ...judge, protocol }
}

/** Models that Workers AI has by itself. */
function workersAi({ AI, JUDGE_MODEL: model = '', JUDGE_PROTOCOL }: EngineBindings): OpenAIOptions['judge'] {
  if (!model.startsWith('@cf/')) return undefined
  if (!AI) throw notConfigured('JUDGE_URL', 'to the address of Workers AI, or bind it as AI')
  if (JUDGE_PROTOCOL !== 'systemone') throw notConfigured('JUDGE_PROTOCOL', 'to systemone, or JUDGE_URL to an address')
  return { url: WORKERS_AI, model, fetch: fetchFrom(AI, model) }
}

function serverOf(env: EngineBindings, role: Role): OpenAIOptions['draft'] {
  const {
    [`${role}_URL` as const]: urls,
    [`${role}_MODEL` as const]: model,
    [`${role}_API_KEY` as const]: apiKey,
  } = env
  const url = addressesIn(urls)
  if (url.length === 0) return undefined
  if (!url.every(isAddress))
    throw notConfigured(
      `${role}_URL`,
      'to an address, or several with commas between them: http(s), without credentials',
    )
  if (!model) throw notConfigured(`${role}_MODEL`, `to the model's name at ${role}_URL`)
  if (apiKey && !/^[!-~]+$/.test(apiKey)) throw notConfigured(`${role}_API_KEY`, 'to ASCII without white space')
  return { url, model, apiKey: apiKey || undefined }
}
