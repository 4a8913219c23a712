/** How much more an engine's context holds: told by some engines, and found out of the others by what they refuse. */
import { UpstreamError } from '../../lookahead/upstream.ts'
import { tooLong } from './failure.ts'
import type { Capabilities } from './probe.ts'
import type { Piece } from './piece.ts'
import type { Server, Writing } from './server.ts'

/** Tokens asked for in one call where nobody knows how many there is room for. */
const STRETCH = 2048

type ContextLimit = Pick<Capabilities, 'context'>

/** Tokens that fit after a text; infinite where the engine does not tell, or the text's own are not known. */
export const roomAfter = (ids: readonly number[] | undefined, { context = Infinity }: ContextLimit): number =>
  ids ? context - ids.length : Infinity

/** Tokens to ask for of a text that may become as long as it likes. */
export const stretchIn = (room: number, ids: readonly number[] | undefined, can: ContextLimit): number =>
  Math.min(room, roomAfter(ids, can) === Infinity ? STRETCH : room)

export const isFull = (error: unknown): boolean =>
  error instanceof UpstreamError && error.code === 'context_length_exceeded'

/**
 * As `server.write`, of what there is room for: a text that goes on from one prompt has fewer tokens where so many do not fit; several are
 * written whole or not at all.
 * @throws {UpstreamError} `context_length_exceeded`, before anything was written; as `server.write`
 */
export async function* writeWithin(
  server: Server,
  prompts: readonly (string | number[])[],
  writing: Writing,
  can: Capabilities,
  signal: AbortSignal,
): AsyncGenerator<Piece, void, undefined> {
  const room = Math.min(...prompts.map((prompt) => roomAfter(typeof prompt === 'string' ? undefined : prompt, can)))
  const least = prompts.length > 1 ? writing.maxTokens : 1
  for (let maxTokens = Math.min(writing.maxTokens, room); maxTokens >= least; maxTokens = Math.floor(maxTokens / 2))
    try {
      return yield* server.write(prompts, { ...writing, maxTokens }, can, signal)
    } catch (error) {
      if (!isFull(error)) throw error
    }
  throw tooLong(server.role)
}
