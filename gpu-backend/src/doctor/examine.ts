/** Looks at a worker or a backend from outside, as its clients do, hop by hop. */
import { HealthDetails, Models } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import packageJson from '../../package.json' with { type: 'json' }
import { failed, ok, warning } from './finding.ts'
import type { Finding } from './finding.ts'
import { mendOf } from './mends.ts'
import { at, unreachable } from './reach.ts'
import type { Ask } from './reach.ts'
import { probes, streaming } from './streaming.ts'

const BackendHealth = v.object({ status: v.string(), version: v.optional(v.string()) })

/** @param key of the worker, or token of the backend */
export async function* examine(base: string, key: string | undefined): AsyncGenerator<Finding, void, undefined> {
  const ask = at(base, key)
  let response: Response
  try {
    response = await ask('/health?details')
  } catch (error) {
    yield unreachable('reached', error)
    return
  }
  const text = await response.text()
  const said = json(text)
  const worker = v.safeParse(HealthDetails, said)
  const backend = v.safeParse(BackendHealth, said)
  if (!worker.success && !backend.success) {
    const told = text.slice(0, 100).replaceAll(/\s+/g, ' ')
    yield failed('reached', `it answers ${response.status}, which is not Lookahead's: ${told}`, notOurs(response))
    return
  }

  const kind = worker.success ? 'worker' : 'backend'
  yield ok('reached', `${base} is a ${kind}`)
  yield guarded(base)
  yield* versions(worker.success ? worker.output : {}, backend.success ? backend.output : {}, kind)
  yield ok('round trip', `${(await roundTrip(ask)).toFixed(1)} ms to the ${kind} and back`)
  if (worker.success) yield* behind(worker.output)
  else if (backend.success)
    yield backend.output.status === 'ok' ? ok('backend', 'ready') : stateOf(backend.output.status)
  const open = yield* access(base, key, kind)
  if (!open) return
  yield await models(ask)
  const isUp = worker.success ? worker.output.backend === 'ok' : backend.success && backend.output.status === 'ok'
  if (!isUp) return
  yield await streaming(ask, probes[kind]).catch((error: unknown) => unreachable('streams', error))
  // By now a run has found out.
  if (worker.success) yield* engines(await ask('/health?details').catch(() => undefined))
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function notOurs({ status, headers }: Response): string {
  if (/cloudflareaccess\.com/.test(headers.get('location') ?? ''))
    return 'Cloudflare Access stands before it: let /v1 and /health through, or give a service token'
  if (status >= 300 && status < 400) return `it sends elsewhere (${headers.get('location')}): use that address`
  if (status >= 520 || status === 502 || status === 504)
    return 'a proxy answers, and what is behind it does not: look whether that runs'
  return 'give the address of the worker or backend itself, without a path'
}

const isLocal = (base: string): boolean => /^(localhost|127\.|\[::1\])/.test(new URL(base).hostname)

function guarded(base: string): Finding {
  if (base.startsWith('https:')) return ok('TLS', 'yes')
  if (isLocal(base)) return ok('TLS', 'none, on this machine')
  return warning(
    'TLS',
    'none: keys and texts can be read on the way',
    'put a tunnel or a proxy with a certificate before it (docs/deploy.md)',
  )
}

function* versions(
  worker: Partial<HealthDetails>,
  backend: { version?: string | undefined },
  kind: string,
): Generator<Finding> {
  const told =
    kind === 'worker' ? { worker: worker.version, backend: worker.backend_version } : { backend: backend.version }
  const known = Object.entries(told).flatMap(([who, version]) => (version === undefined ? [] : [`${who} ${version}`]))
  const text = [...known, `this command ${packageJson.version}`].join(', ')
  const isSame = new Set([...Object.values(told).filter(Boolean), packageJson.version]).size === 1
  yield isSame ? ok('versions', text) : warning('versions', text, 'deploy worker and backend of one version')
}

/** Of a request that asks nobody else, over a connection that is open. */
async function roundTrip(ask: Ask): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < 6; i++) {
    const start = performance.now()
    await (await ask('/health', { method: 'OPTIONS' })).arrayBuffer()
    times.push(performance.now() - start)
  }
  return times.slice(1).toSorted((a, b) => a - b)[2]!
}

const FAR_MS = 50

function* behind({ engine, backend, backend_ms, backends = [], draft, judge }: HealthDetails): Generator<Finding> {
  yield backend === 'ok' ? ok('backend', 'the worker reaches it, and is let in') : stateOf(backend, engine)
  if (backend === 'ok') yield* others(backends, engine)
  yield* helper('draft', draft)
  yield* helper('judge', judge)
  if (backend_ms === undefined) return
  const told = `${backend_ms.toFixed()} ms from the worker to the backend and back`
  yield backend_ms <= FAR_MS
    ? ok('distance', told)
    : warning(
        'distance',
        told,
        'give the worker a placement near the backend: [placement] in wrangler.toml (docs/deploy.md)',
      )
}

/** One that other engines than our own have beside the target. */
function* helper(role: 'draft' | 'judge', state: string | undefined): Generator<Finding> {
  if (state === undefined) return
  const told = `${state.replace('_', ' ')}; runs go on without it`
  yield state === 'ok' ? ok(role, 'the worker reaches it, and is let in') : warning(role, told, mendOf(state, role))
}

/** Of several backends those that serve no runs, by their places in the setting that names them. */
function* others(backends: readonly string[], engine: string | undefined): Generator<Finding> {
  const well = backends.filter((state) => state === 'ok').length
  if (well > 1) yield ok('backends', `${well} of ${backends.length} are ready`)
  for (const [i, state] of backends.entries())
    if (state !== 'ok') {
      const told = `${i + 1} of ${backends.length}: ${state.replace('_', ' ')}; runs go to the others`
      yield warning('backends', told, mendOf(state, engine))
    }
}

/** What other engines than our own were found unable to do. */
async function* engines(answer: Response | undefined): AsyncGenerator<Finding, void, undefined> {
  const said = v.safeParse(HealthDetails, json((await answer?.text().catch(() => undefined)) ?? ''))
  const lacking = Object.entries((said.success && said.output.lacking) || {})
  if (lacking.length === 0) return
  const told = lacking.map(([role, what]) => `the ${role} lacks ${what.join(', ').replaceAll('_', ' ')}`).join('; ')
  yield warning(
    'engine',
    told,
    'nothing has to be done: docs/engines.md says what is done without it, and what it costs',
  )
}

const stateOf = (state: string, engine?: string): Finding =>
  failed('backend', state.replace('_', ' '), mendOf(state, engine))

/** Whether the one who asks is let in, and whether anybody would be. Returns whether it is. */
async function* access(
  base: string,
  key: string | undefined,
  kind: 'worker' | 'backend',
): AsyncGenerator<Finding, boolean> {
  const called = kind === 'worker' ? 'key' : 'token'
  const status = async (shown: string | undefined) => {
    const answer = await at(base, shown)('/v1/models')
    await answer.body?.cancel()
    return answer.status
  }
  const [without, given] = [await status(undefined), await status(key)]
  if (given === 401) {
    const told = key === undefined ? `a ${called} is asked for` : `the ${called} is refused`
    yield failed(
      'access',
      told,
      `give one with --key, or in LOOKAHEAD_KEY${kind === 'worker' ? '; `lookahead key` makes one' : ''}`,
    )
    return false
  }
  if (without === 401) yield ok('access', `the ${called} is taken, and nobody comes in without one`)
  else if (isLocal(base)) yield ok('access', `no ${called} is asked for, on this machine`)
  else
    yield warning(
      'access',
      `anybody may use it: no ${called} is asked for`,
      kind === 'worker' ? 'set the secret API_KEYS (docs/deploy.md)' : 'start it with --token',
    )
  return true
}

async function models(ask: Ask): Promise<Finding> {
  const answer = await ask('/v1/models')
  const said = v.safeParse(Models, json(await answer.text()))
  if (!said.success || said.output.data.length === 0)
    return failed('models', `none are listed (${answer.status})`, 'look at what was found about the backend')
  const each = said.output.data.map(
    ({ id, role, max_model_len }) => `${id}${id === role ? '' : ` (${role})`}, ${max_model_len} tokens`,
  )
  return ok('models', each.join('; '))
}
