/** A run's place among those that may go on at a time. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import { retrySeconds } from '../failure.ts'
import { logLine } from '../log.ts'
import { words } from '../lookahead/index.ts'
import { notConfigured } from '../setting-values.ts'
import type { Bindings, RunCounterStub } from '../settings.ts'
import type { Caller } from './caller.ts'
import { LEASE_MS } from './leases.ts'
import { limitsOf } from './limits.ts'

/** Called when the run is over, however it ended. */
type Leave = () => Promise<void>

/**
 * Where nothing limits the runs that go on, nothing is counted. A counter that fails stops nobody: that is logged, and the run goes on.
 * @param id of the run
 * @throws {ProtocolError} 429 `too_many_runs`; 500 `not_configured`
 */
export async function takeRunLease(env: Bindings, caller: Caller, id: string): Promise<Leave> {
  const limits = limitsOf(env)
  const places = { all: limits.runs, own: caller.runs ?? limits.runsPerKey }
  if (places.all === Infinity && places.own === Infinity) return async () => undefined
  if (!env.RUN_COUNTER) throw notConfigured('RUN_COUNTER', 'as a Durable Object, as in wrangler.toml: runs are limited')
  const counter = env.RUN_COUNTER.getByName('runs')
  const full = await watched(id, () => counter.take(id, caller.name, places))
  if (full) throw tooMany(full, places)
  return held(counter, caller, id)
}

/** Renews the place until it is left: one that is not renewed is free again, so a worker that dies takes none with it. */
function held(counter: RunCounterStub, { name }: Caller, id: string): Leave {
  const renewal = setInterval(() => void watched(id, () => counter.renew(id, name)), LEASE_MS / 3)
  return async () => {
    clearInterval(renewal)
    await watched(id, () => counter.leave(id))
  }
}

async function watched<T>(id: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    logLine({ event: 'run_counter.failed', request_id: id, message: words(error) })
    return undefined
  }
}

function tooMany(full: 'own' | 'all', places: { own: number; all: number }): ProtocolError {
  const whose = full === 'own' ? `this key has ${places.own}` : `there are ${places.all}`
  const message = `${whose} runs going on, which is the most: try again when one is over`
  return new ProtocolError(429, 'too_many_runs', message, { retryAfter: retrySeconds() })
}
