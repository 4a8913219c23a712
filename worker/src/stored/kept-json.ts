/**
 * Values in a Durable Object's storage, as UTF-8: a string with one character beyond Latin-1 would take twice the room, and a value
 * may have 2 MB. @see https://developers.cloudflare.com/durable-objects/platform/limits/
 */
import type { Storage } from './storage.ts'

type KeyValue = Storage['kv']

const MOST_BYTES = 2_000_000

/** What is too large is left out. */
export function keepJson(kv: KeyValue, key: string, value: object): void {
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  if (bytes.length <= MOST_BYTES) kv.put(key, bytes)
}

/** Undefined where there is none. */
export function keptJson(kv: KeyValue, key: string): unknown {
  const bytes = kv.get(key) as Uint8Array | null | undefined
  return bytes ? JSON.parse(new TextDecoder().decode(bytes)) : undefined
}
