/** The engines that runs can be sent to. One more is its own file and a line in `engines`. */
import type { Upstream } from '../lookahead/upstream.ts'
import { enginesOf } from '../engine-settings.ts'
import { backendOf, notConfigured } from '../settings.ts'
import type { Bindings } from '../settings.ts'
import { nativeUpstream } from './native.ts'
import { openaiUpstream } from './openai/index.ts'

/** Makes an engine of what the worker's settings say, for one request. @throws {ProtocolError} 500 `not_configured` */
type Engine = (env: Bindings, requestId: string) => Upstream

const engines = new Map<string, Engine>([
  ['native', (env, requestId) => nativeUpstream({ ...backendOf(env), requestId })],
  ['openai', (env) => openaiUpstream(enginesOf(env))],
])

/** The engine that the worker is set up for. @throws {ProtocolError} 500 `not_configured` */
export function upstreamOf(env: Bindings, requestId: string): Upstream {
  const engine = engines.get(env.ENGINE || 'native')
  if (!engine) throw notConfigured('ENGINE', `to one of: ${[...engines.keys()].join(', ')}`)
  return engine(env, requestId)
}
