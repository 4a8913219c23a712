/** What `wrangler.toml` and the secrets say, checked where it is used: a wrong setting is the operator's to mend, and is named. */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { RunObjects } from './stored/orders.ts'

/** What `wrangler.toml` and the secrets give the worker. */
export interface Bindings {
  /** The engine that runs are sent to, one of `upstreams/`. Default: `native`, the GPU backend. */
  ENGINE?: string
  /** Where the GPU backend listens. */
  BACKEND_URL?: string
  /** Bearer token that the backend asks for. */
  BACKEND_TOKEN?: string
  /** How long a run waits for a backend that is away, silent or too busy, in seconds. Default: 60. */
  BACKEND_TIMEOUT_SECONDS?: string
  /** Bearer token that clients must show. Default: none asked. */
  API_KEY?: string
  /** A name of the operator's choice for the model that can be asked, beside `target`: the default of OpenAI's dialects. */
  MODEL_NAME?: string
  /** Where stored runs live. Default: none are. */
  RUNS?: RunObjects
  /** How long a stored run is kept after its end, in seconds. Default: 3600. */
  RUN_RETENTION_SECONDS?: string
}

/** What Hono knows of every request. */
export type App = { Bindings: Bindings; Variables: { requestId: string } }

/** The GPU backend, and how long it is waited for. */
interface Backend {
  baseURL: string
  token: string | undefined
  timeoutMs: number | undefined
}

const MAX_TIMEOUT_SECONDS = 3600

/** @throws {ProtocolError} 500 `not_configured` */
export function backendOf({ BACKEND_URL, BACKEND_TOKEN, BACKEND_TIMEOUT_SECONDS }: Bindings): Backend {
  if (!BACKEND_URL || !isAddress(BACKEND_URL))
    throw notConfigured('BACKEND_URL', 'to the address of the GPU backend: http(s), without credentials')
  if (BACKEND_TOKEN && !/^[!-~]+$/.test(BACKEND_TOKEN))
    throw notConfigured('BACKEND_TOKEN', 'to ASCII without white space')
  const seconds = BACKEND_TIMEOUT_SECONDS ? Number(BACKEND_TIMEOUT_SECONDS) : undefined
  if (seconds !== undefined && !(seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS))
    throw notConfigured('BACKEND_TIMEOUT_SECONDS', `to a number from 0 to ${MAX_TIMEOUT_SECONDS}`)
  return {
    baseURL: BACKEND_URL.replace(/\/+$/, ''),
    token: BACKEND_TOKEN || undefined,
    timeoutMs: seconds && seconds * 1000,
  }
}

/** Undefined: none is asked for. @throws {ProtocolError} 500 `not_configured` */
export function apiKeyOf({ API_KEY }: Bindings): string | undefined {
  // The form of RFC 6750; no other can be shown.
  if (API_KEY && !/^[\w.~+/-]+=*$/.test(API_KEY)) throw notConfigured('API_KEY', 'to letters, digits and -._~+/ only')
  return API_KEY || undefined
}

/** @param right what the setting must be set to */
export const notConfigured = (setting: string, right: string): ProtocolError =>
  new ProtocolError(500, 'not_configured', `the worker's operator must set ${setting} ${right}`)

function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && !username && !password
}
