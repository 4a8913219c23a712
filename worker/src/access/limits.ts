/** What the worker's operator lets clients do. */
import { notConfigured, timeoutOf } from '../setting-values.ts'
import type { Bindings } from '../settings.ts'

interface Limits {
  /** Of a request's body. */
  bodyBytes: number
  /** Tokens that a run may write. */
  tokens: number
  /** Runs that may go on at a time, of all callers together. */
  runs: number
  /** The same of one caller. */
  runsPerKey: number
  /** How long a client may read nothing, in milliseconds. */
  unreadMs: number
  /** Whose pages may call: all, or those of a list. */
  origins: '*' | readonly string[]
}

const DEFAULT_BODY_BYTES = 1024 * 1024
const DEFAULT_UNREAD_MS = 60_000
/** Cloudflare's own limit, of its smallest plan. @see https://developers.cloudflare.com/workers/platform/limits/ */
const MAX_BODY_BYTES = 100 * 1024 * 1024

/** Infinity: as much as they like. @throws {ProtocolError} 500 `not_configured` */
export const limitsOf = (env: Bindings): Limits => ({
  bodyBytes: whole(env, 'MAX_BODY_BYTES', MAX_BODY_BYTES) ?? DEFAULT_BODY_BYTES,
  tokens: whole(env, 'MAX_TOKENS') ?? Infinity,
  runs: whole(env, 'MAX_RUNS') ?? Infinity,
  runsPerKey: whole(env, 'MAX_RUNS_PER_KEY') ?? Infinity,
  unreadMs: timeoutOf(env, 'CLIENT_TIMEOUT_SECONDS') ?? DEFAULT_UNREAD_MS,
  origins: originsOf(env),
})

function originsOf({ CORS_ORIGINS }: Bindings): '*' | string[] {
  if (!CORS_ORIGINS || CORS_ORIGINS === '*') return '*'
  if (CORS_ORIGINS === 'none') return []
  const origins = CORS_ORIGINS.split(',')
  if (origins.every((origin) => /^https?:\/\/[^\s,/?#@*]+$/.test(origin))) return origins
  throw notConfigured('CORS_ORIGINS', 'to origins such as https://app.example with commas between them, "*" or "none"')
}

type LimitName = 'MAX_BODY_BYTES' | 'MAX_TOKENS' | 'MAX_RUNS' | 'MAX_RUNS_PER_KEY'

function whole(env: Bindings, name: LimitName, most = 1e9): number | undefined {
  const text = env[name]
  if (!text) return undefined
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1 && number <= most) return number
  throw notConfigured(name, `to a whole number from 1 to ${most}`)
}
