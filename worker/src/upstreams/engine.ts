/** An engine, as the worker knows it: how it is made of the worker's settings, and what can be asked of it outside of runs. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { HealthDetails, Models } from '@lookahead/sdk/protocol'
import type { Upstream } from '../lookahead/upstream.ts'
import type { Bindings } from '../settings.ts'

export interface Engine {
  /**
   * For the runs of one request.
   * @param cacheSalt of whoever asks: only texts of one salt may share what the engine has run
   * @throws {ProtocolError} 500 `not_configured`
   */
  upstream(env: Bindings, requestId: string, cacheSalt?: string): Upstream
  /**
   * Whether it can serve runs, and what else it says of itself.
   * @param goOn is handed what goes on after the answer, and never fails: it finds out what the first run would have to
   * @throws {ProtocolError} 500 `not_configured`; whatever else it throws is `unreachable`
   */
  state(env: Bindings, requestId: string, goOn: (work: Promise<unknown>) => void): Promise<EngineState>
  /** The model that runs are written by; undefined: it says of none. @throws {ProtocolError} 500 `not_configured`; 502, 503: as `refused` and `unreachable` have it */
  target(env: Bindings, requestId: string): Promise<Target | undefined>
}

export type EngineState = Omit<HealthDetails, 'status' | 'version'>

/** Under whatever names it is served. */
export type Target = Omit<Models['data'][number], 'id'>

/** Of one that is served in several places: one that is well can serve runs, whatever the others do. */
export function stateOfAll(states: readonly EngineState[]): EngineState {
  const best = states.find(({ backend }) => backend === 'ok') ?? states[0]!
  return states.length === 1 ? best : { ...best, backends: states.map(({ backend }) => backend) }
}

/** What the first of them says that can; they have the same models. @throws as the first one in order does */
export const firstTarget = (targets: readonly Promise<Target | undefined>[]): Promise<Target | undefined> =>
  Promise.any(targets).catch(({ errors }: AggregateError) => {
    throw errors[0]
  })

/** How long an engine may take to answer what is not a run. Milliseconds. */
export const PATIENCE_MS = 5_000

/** @param who is not reached, for people */
export const unreachable = (who: string, cause?: unknown): ProtocolError =>
  new ProtocolError(503, 'backend_unreachable', `${who} cannot be reached`, { retryAfter: 2, cause })

/** @param why for people: a setting that the operator has to mend */
export const refused = (why: string): ProtocolError => new ProtocolError(502, 'backend_unauthorized', why)

/** Whether it takes the worker for a stranger. */
export const isRefusal = ({ status }: Response): boolean => status === 401 || status === 403
