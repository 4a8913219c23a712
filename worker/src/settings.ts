/** What `wrangler.toml` and the secrets say, checked where it is used: a wrong setting is the operator's to mend, and is named. */
import type { Caller } from './access/caller.ts'
import type { LeaseLimits } from './access/leases.ts'
import type { EngineBindings } from './engine-settings.ts'
import { addressesIn, isAddress, notConfigured, timeoutOf } from './setting-values.ts'
import type { RunObjects } from './stored/orders.ts'

/** What `wrangler.toml` and the secrets give the worker. */
export interface Bindings extends EngineBindings {
  /** The engine that runs are sent to, one of `upstreams/`: `native`, the GPU backend (default), or `openai`. */
  ENGINE?: string
  /** Where the GPU backend listens; several that have the same models, with commas between them. */
  BACKEND_URL?: string
  /** Reaches the backend by another way than the internet: a VPC service, for one. Default: `fetch`. */
  BACKEND?: { fetch: typeof fetch }
  /** Bearer token that the backend asks for. */
  BACKEND_TOKEN?: string
  /** How long a run waits for a backend that is away, silent or too busy, in seconds. Default: 60. */
  BACKEND_TIMEOUT_SECONDS?: string
  /** A client that has read nothing for so many seconds, although there is something to read, has left. Default: 60. */
  CLIENT_TIMEOUT_SECONDS?: string
  /** A bearer token that clients may show. Default: none asked, if there are no `API_KEYS` either. */
  API_KEY?: string
  /** More of them, by their hashes: `access/keys.ts`. */
  API_KEYS?: string
  /** Of a request. Default: 1 MiB. */
  MAX_BODY_BYTES?: string
  /** Tokens that a run may write, whatever it asks for. Default: no limit. */
  MAX_TOKENS?: string
  /** Runs that may go on at a time, which `RUN_COUNTER` counts: all together, and of each key. Default: no limit. */
  MAX_RUNS?: string
  MAX_RUNS_PER_KEY?: string
  RUN_COUNTER?: { getByName(name: string): RunCounterStub }
  /** How often a key may ask: Cloudflare's rate limiting. Default: as often as it likes. */
  RATE_LIMIT?: { limit(options: { key: string }): Promise<{ success: boolean }> }
  /** Origins whose pages may call, with commas between them, or `none`. Default: `*`, all. */
  CORS_ORIGINS?: string
  /** A name of the operator's choice for the model that can be asked, beside `target`: the default of OpenAI's dialects. */
  MODEL_NAME?: string
  /** Where stored runs live. Default: none are. */
  RUNS?: RunObjects
  /** How long a stored run is kept after its end, in seconds. Default: 3600. */
  RUN_RETENTION_SECONDS?: string
}

/** What Hono knows of every request. */
export type App = { Bindings: Bindings; Variables: { requestId: string; caller: Caller } }

/** `RunCounter`, as one calls it. */
export interface RunCounterStub {
  take(id: string, holder: string, places: LeaseLimits): Promise<'own' | 'all' | undefined>
  renew(id: string, holder: string): Promise<void>
  leave(id: string): Promise<void>
}

/** The GPU backend, in one place or several, and how long it is waited for. */
export interface Backend {
  baseURLs: string[]
  token: string | undefined
  timeoutMs: number | undefined
  fetch: typeof fetch | undefined
}

/** @throws {ProtocolError} 500 `not_configured` */
export function backendOf({ BACKEND, BACKEND_URL, BACKEND_TOKEN, ...env }: Bindings): Backend {
  const baseURLs = addressesIn(BACKEND_URL)
  if (baseURLs.length === 0 || !baseURLs.every(isAddress))
    throw notConfigured(
      'BACKEND_URL',
      'to the address of the GPU backend, or several with commas between them: http(s), without credentials',
    )
  if (BACKEND_TOKEN && !/^[!-~]+$/.test(BACKEND_TOKEN))
    throw notConfigured('BACKEND_TOKEN', 'to ASCII without white space')
  return {
    baseURLs,
    token: BACKEND_TOKEN || undefined,
    timeoutMs: timeoutOf(env),
    fetch: BACKEND && ((input, init) => BACKEND.fetch(input, init)),
  }
}
