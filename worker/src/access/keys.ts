/** The keys that clients may show. Of those in `API_KEYS` the worker knows only the hash, so that who reads its settings has no key. */
import { notConfigured } from '../setting-values.ts'

export interface Key {
  /** What logs and limits call it. */
  name: string
  /** SHA-256 of the key, in hex. */
  hash: string
  /** Runs of it that may go on at a time. Default: `MAX_RUNS_PER_KEY`. */
  runs?: number
  /** Tokens that a run of it may write. Default: `MAX_TOKENS`. */
  tokens?: number
}

/** NAME:HASH, and perhaps :LIMIT=N,LIMIT=N. */
const ENTRY = /^([\w.-]{1,64}):([0-9a-f]{64})(?::((?:runs|tokens)=[1-9]\d{0,8}(?:,(?:runs|tokens)=[1-9]\d{0,8})*))?$/

/** The form of RFC 6750; no other can be shown. */
const SHOWABLE = /^[\w.~+/-]+=*$/

/**
 * Those of `API_KEYS`, and the one of `API_KEY`, whose name is "default". None: nobody is asked for one.
 * @throws {ProtocolError} 500 `not_configured`
 */
export async function keysOf({ API_KEY, API_KEYS }: { API_KEY?: string; API_KEYS?: string }): Promise<Key[]> {
  if (API_KEY && !SHOWABLE.test(API_KEY)) throw notConfigured('API_KEY', 'to letters, digits and -._~+/ only')
  const keys = (API_KEYS ?? '').split(/\s+/).filter(Boolean).map(readEntry)
  const all = API_KEY ? [{ name: 'default', hash: await sha256(API_KEY) }, ...keys] : keys
  if (new Set(all.map(({ name }) => name)).size < all.length)
    throw notConfigured('API_KEYS', 'to entries of different names; "default" is that of API_KEY')
  return all
}

/** The key that was shown. All are looked at, and all of each: the time it takes tells nothing. */
export async function findKey(keys: readonly Key[], shown: string): Promise<Key | undefined> {
  const hash = await sha256(shown)
  return keys.reduce<Key | undefined>((found, key) => (isSame(key.hash, hash) ? key : found), undefined)
}

function readEntry(text: string, i: number): Key {
  const [, name, hash, limits] = ENTRY.exec(text) ?? []
  if (name === undefined || hash === undefined)
    throw notConfigured(
      'API_KEYS',
      `to lines NAME:HASH or NAME:HASH:runs=N,tokens=N, as "lookahead key" prints them: entry ${i + 1} is none`,
    )
  const pairs = limits?.split(',').map((pair) => pair.split('=')) ?? []
  return { name, hash, ...Object.fromEntries(pairs.map(([limit, most]) => [limit, Number(most)])) }
}

/** In hex. */
export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Of hashes in hex, which are equally long. */
function isSame(one: string, other: string): boolean {
  let different = 0
  for (let i = 0; i < one.length; i++) different |= one.charCodeAt(i) ^ other.charCodeAt(i)
  return different === 0
}
