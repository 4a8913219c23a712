/** What a caller hands in, checked where it comes in: wrong options shall not look like faults of the network later. */
import { UsageError } from './errors.ts'
import type { Settings } from './transport.ts'

export interface LookaheadOptions {
  /** Where the worker is: an absolute address, for example `https://lookahead.example.workers.dev`. A path is kept. */
  baseURL: string | URL
  /** Sent as `Authorization: Bearer …`. Default, also where it is empty: none. */
  apiKey?: string | undefined
  /** Default: the runtime's own, looked up at each call. */
  fetch?: typeof globalThis.fetch | undefined
  /**
   * How often a request is sent again after 408, 409, 429, 5xx, a lost connection or a timeout before the first event of a run has
   * arrived, or after a failure that may pass before any of its text. Default 2.
   */
  maxRetries?: number | undefined
  /** Time until the response headers, in milliseconds, up to 2³¹ − 1. Default 60,000. */
  timeoutMs?: number | undefined
  /**
   * Time without a byte, comments included, after which a stream counts as dead, in milliseconds, up to 2³¹ − 1.
   * Default 60,000.
   */
  idleTimeoutMs?: number | undefined
}

export interface CallOptions {
  /** Ends the call when it aborts: reading it then throws an `AbortedError`. */
  signal?: AbortSignal | undefined
}

export interface ResumeOptions extends CallOptions {
  /** The number of the last event that is known, from 0. Default: none. */
  startingAfter?: number | undefined
}

/** Longer ones would end at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** @throws {UsageError} `invalid_option` */
export function readOptions(options: LookaheadOptions): Settings {
  const { baseURL, apiKey, fetch, maxRetries = 2, timeoutMs = 60_000, idleTimeoutMs = 60_000 } = options ?? {}
  check(!apiKey || isKey(apiKey), 'apiKey', 'must be ASCII without white space')
  check(!fetch || typeof fetch === 'function', 'fetch', 'must be a function')
  check(Number.isInteger(maxRetries) && maxRetries >= 0, 'maxRetries', 'must be a whole number from 0')
  check(isTime(timeoutMs), 'timeoutMs', TIME)
  check(isTime(idleTimeoutMs), 'idleTimeoutMs', TIME)
  return {
    baseURL: readAddress(String(baseURL)),
    headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
    fetch: fetch ?? ((input, init) => globalThis.fetch(input, init)),
    maxRetries,
    timeoutMs,
    idleTimeoutMs,
  }
}

/** @throws {UsageError} `invalid_option`: a controller, for example */
export function readSignal({ signal }: CallOptions = {}): AbortSignal | undefined {
  check(!signal || typeof signal.aborted === 'boolean', 'signal', 'must be an AbortSignal')
  return signal
}

/** A request's body as it is now, whatever becomes of `params` later. @throws {UsageError} `invalid_option` */
export function readParams(params: object): string {
  const wrong = 'must be an object of JSON'
  check(typeof params === 'object' && params !== null, 'params', wrong)
  try {
    return JSON.stringify(params)
  } catch (cause) {
    throw invalid('params', wrong, cause)
  }
}

/** @throws {UsageError} `invalid_option` */
export function readSource(id: string, startingAfter = -1) {
  check(typeof id === 'string' && id !== '', 'id', 'must be the id of a run')
  check(Number.isInteger(startingAfter) && startingAfter >= -1, 'startingAfter', 'must be the number of an event')
  return { id, next: startingAfter + 1 }
}

const TIME = `must be milliseconds, up to ${MAX_TIMER_MS}`
const isTime = (ms: unknown): boolean => typeof ms === 'number' && ms > 0 && ms <= MAX_TIMER_MS
const isKey = (key: unknown): boolean => typeof key === 'string' && /^[!-~]+$/.test(key)

function readAddress(address: string): string {
  const { protocol, username, password, href } = URL.canParse(address) ? new URL(address) : ({} as Partial<URL>)
  const isHttp = protocol === 'http:' || protocol === 'https:'
  check(
    isHttp && !username && !password && !/[?#]/.test(address),
    'baseURL',
    'must be an http(s) URL without credentials, query or fragment',
  )
  return href!.replace(/\/*$/, '/')
}

function check(fine: boolean, option: string, wrong: string): void {
  if (!fine) throw invalid(option, wrong)
}

/** Values stay out of the message: they may be secrets. */
const invalid = (param: string, wrong: string, cause?: unknown) =>
  new UsageError('invalid_option', `${param} ${wrong}`, { param, cause })
