import type { Engine } from '../engine/engine.ts'
import type { Calls } from './calls.ts'
import type { Metrics } from './metrics.ts'

/** What all routes work with. */
export interface Service {
  /** @throws {ProtocolError} 503 `loading` or `draining` */
  ready(): Engine
  calls: Calls
  metrics: Metrics
}
