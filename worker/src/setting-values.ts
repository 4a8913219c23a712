/** How single settings are read. */
import { ProtocolError } from '@lookahead/sdk/protocol'

const MAX_TIMEOUT_SECONDS = 3600

interface Timeouts {
  BACKEND_TIMEOUT_SECONDS?: string
  CLIENT_TIMEOUT_SECONDS?: string
}

/** In milliseconds. Undefined: the default. @throws {ProtocolError} 500 `not_configured` */
export function timeoutOf(env: Timeouts, name: keyof Timeouts = 'BACKEND_TIMEOUT_SECONDS'): number | undefined {
  const seconds = env[name] ? Number(env[name]) : undefined
  if (seconds !== undefined && !(seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS))
    throw notConfigured(name, `to a number from 0 to ${MAX_TIMEOUT_SECONDS}`)
  return seconds && seconds * 1000
}

/** @param right what the setting must be set to */
export const notConfigured = (setting: string, right: string): ProtocolError =>
  new ProtocolError(500, 'not_configured', `the worker's operator must set ${setting} ${right}`)

/** Each of them once, without the slash at its end. */
export const addressesIn = (list = ''): string[] => [
  ...new Set(list.split(/[\s,]+/).flatMap((url) => url.replace(/\/+$/, '') || [])),
]

export function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^https?:$/.test(protocol) && !username && !password
}
