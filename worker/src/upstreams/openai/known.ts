/** What this isolate has found out about servers: asked once, by the first run. */
import type { Capabilities } from './probe.ts'
import { probe } from './probe.ts'
import type { Server } from './server.ts'

const known = new Map<string, Promise<unknown>>()

/** @throws as `probe` does; then it is asked again next time */
export const capabilitiesOf = (server: Server): Promise<Capabilities> =>
  once(`${server.key} can`, () => probe(server, AbortSignal.timeout(PROBE_MS)))

const PROBE_MS = 60_000

/** The same answer for everyone who asks while it is good; a failure is told and forgotten. */
export function once<T>(key: string, ask: () => Promise<T>): Promise<T> {
  const before = known.get(key) as Promise<T> | undefined
  if (before) return before
  const asked = ask()
  known.set(key, asked)
  asked.catch(() => known.delete(key))
  return asked
}
