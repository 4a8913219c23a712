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
export const capabilitiesOf = (server: Server): Promise<Capabilities> => once(`${server.key} can`, () => found(server))

async function found(server: Server): Promise<Capabilities> {
  lacking.delete(server.key)
  const signal = AbortSignal.timeout(PROBE_MS)
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

/** The same answer for everyone who asks while it is good; a failure is told and forgotten. */
export function once<T>(key: string, ask: () => Promise<T>): Promise<T> {
  const before = known.get(key) as Promise<T> | undefined
  if (before) return before
  const asked = ask()
  known.set(key, asked)
  asked.catch(() => known.delete(key))
  return asked
}
