/** The engines that a run can be sent to. One more is its own file and a line in `engines`. */
import type { Upstream } from '../lookahead/upstream.ts'
import { backendOf } from '../settings.ts'
import type { Bindings } from '../settings.ts'
import { nativeUpstream } from './native.ts'

/** Makes an engine of what the worker is told of it. @throws {ProtocolError} 500 `not_configured` */
export type Engine = (env: Bindings, requestId: string) => Upstream

const engines = {
  native: (env, requestId) => nativeUpstream({ ...backendOf(env), requestId }),
} satisfies Record<string, Engine>

/** The engine for one request. @throws {ProtocolError} 500 `not_configured` */
export function upstreamOf(env: Bindings, requestId: string, engine: keyof typeof engines = 'native'): Upstream {
  return engines[engine](env, requestId)
}
