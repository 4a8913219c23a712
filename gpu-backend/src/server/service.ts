import type { Engine } from '../engine/engine.ts'
import type { Calls } from './calls.ts'
import type { Metrics } from './metrics.ts'

/** What all routes work with. */
export interface Service {
  /**
   * @param context a name: while the server drains, calls go on with contexts that it knows
   * @throws {ProtocolError} 503 `loading` or `draining`
   */
  ready(context?: string): Engine
  /** Whether callers have shown a token. */
  isGuarded: boolean
  calls: Calls
  metrics: Metrics
}
