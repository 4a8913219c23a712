/** What this isolate has found out about servers: asked once, by the first run. */
import { UpstreamError } from '../../lookahead/upstream.ts'
import { silent } from './failure.ts'
import type { Capabilities } from './probe.ts'
import { probe } from './probe.ts'
import type { Server } from './server.ts'

const known = new Map<string, Promise<unknown>>()

/** What a server may be found unable to do, as `docs/engines.md` has it. */
export type Lack =
  | 'many_prompts'
  | 'token_ids'
  | 'delimiters'
  | 'chat_messages'
  | 'likelihood'
  | 'completions'
  | 'log_probabilities'
  | 'verdicts'

const lacking = new Map<string, Set<Lack>>()

export function lacks({ key }: Pick<Server, 'key'>, what: Lack): void {
  lacking.set(key, (lacking.get(key) ?? new Set()).add(what))
}

/** It can after all: whoever runs it has mended it. */
export const has = ({ key }: Pick<Server, 'key'>, what: Lack): void => void lacking.get(key)?.delete(what)

/** As far as it was found out. @param key of the server */
export const lackingIn = (key: string): Lack[] => [...(lacking.get(key) ?? [])]

/** @throws as `probe` does; then it is asked again next time */
export const capabilitiesOf = (server: Server): Promise<Capabilities> =>
  once(capabilities(server), () => found(server, PROBE_MS))

const preparing = new Set<string>()

/** Finds it out for the runs to come. One that comes meanwhile asks for itself: it has more time. Never fails. */
export async function prepare(server: Server): Promise<void> {
  const key = capabilities(server)
  if (known.has(key) || preparing.has(key)) return
  preparing.add(key)
  try {
    const can = await found(server, BACKGROUND_MS)
    known.set(key, Promise.resolve(can))
  } catch {
    // A run will say so.
  }
  preparing.delete(key)
}

const capabilities = ({ key }: Server): string => `${key} can`

async function found(server: Server, ms: number): Promise<Capabilities> {
  lacking.delete(server.key)
  const signal = AbortSignal.timeout(ms)
  try {
    const can = await probe(server, signal)
    if (!can.batch) lacks(server, 'many_prompts')
    if (!can.ids) lacks(server, 'token_ids')
    if (can.stops === 'unclear') lacks(server, 'delimiters')
    return can
  } catch (error) {
    if (signal.aborted) throw silent(server.role)
    if (error instanceof UpstreamError && error.code === 'no_completions') lacks(server, 'completions')
    throw error
  }
}

/** How long it may take to find out what a server can do. */
export const PROBE_MS = 60_000
/** The same behind an answer: 30 s after it, the runtime drops what still goes on. */
const BACKGROUND_MS = 25_000

/** The same answer for everyone who asks while it is good; a failure is told and forgotten. */
export function once<T>(key: string, ask: () => Promise<T>): Promise<T> {
  const before = known.get(key) as Promise<T> | undefined
  if (before) return before
  const asked = ask()
  known.set(key, asked)
  asked.catch(() => known.delete(key))
  return asked
}
