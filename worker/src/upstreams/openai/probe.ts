/** What a server can do, found by asking it: engines leave unknown fields unread, refuse them, or are of another version than their name says. */
import { UpstreamError } from '../../lookahead/upstream.ts'
import type { Piece } from './piece.ts'
import type { ApiFeatures, Server, Writing } from './server.ts'
import { Detokenized, Tokenized } from './wire.ts'

export interface Capabilities extends ApiFeatures {
  /** Tells the ids of what it writes, and goes on from ids. */
  ids: boolean
  /** How it ends a text at a stop string: left in the text, left out but told, or neither, so that the text is cut here. */
  stops: 'kept' | 'told' | 'unclear'
  /** Ids of `SAMPLE`, of an engine that tokenizes and spells out: another server that has the same has the same vocabulary. */
  sample: readonly number[] | undefined
  /** Tokens that a prompt and what is written after it may have together, of an engine that tells. */
  context?: number | undefined
}

/** One of them is gone on from in visible words, by any model. */
const BEGINNINGS = ['1, 2, 3, 4,', 'Hello', 'The'] as const
/** Words, digits, white space, other scripts and the marks of chat formats: what vocabularies differ in. */
const SAMPLE = 'Hello, 12345 worlds!\n\n  naïve 思考 🙂 <think></think><|im_start|><|im_end|><|endoftext|>'

const greedy: Writing = { maxTokens: 8, sampling: { temperature: 0 } }

/** From the most that is asked for to the least; OpenAI's own refuses the fields of others, some servers take one prompt a call. */
const featureSets: readonly ApiFeatures[] = [
  { extensions: true, batch: true },
  { extensions: true, batch: false },
  { extensions: false, batch: false },
]

/** @throws {UpstreamError} where it cannot go on with a given text at all; the signal's reason */
export async function probe(server: Server, signal: AbortSignal): Promise<Capabilities> {
  const [{ features: first, beginning, text, tellsIds }, sample, context] = await Promise.all([
    written(server, signal),
    tokenized(server, signal),
    server.context(signal),
  ])
  const asked = { ...first, logprobs: !tellsIds }
  const ids = sample !== undefined && (await takesIds(server, { features: asked, beginning, signal }))
  const features = { ...first, logprobs: ids && !tellsIds }
  const stop = middle(text)
  const stopped = stop === undefined ? 'unclear' : await stoppedAt(server, { features, beginning, stop, signal })
  // What stands beside log probabilities is left out with the stop string.
  const stops = features.logprobs && stopped === 'told' ? 'unclear' : stopped
  return { ...features, ids, stops, sample, context }
}

interface Written {
  features: ApiFeatures
  beginning: string
  text: string
  tellsIds: boolean
}

/** The first features in which the server writes something. */
async function written(server: Server, signal: AbortSignal): Promise<Written> {
  let refused: unknown
  for (const features of featureSets)
    try {
      return await writtenIn(features, server, signal)
    } catch (error) {
      signal.throwIfAborted()
      // A server that takes one prompt of several breaks off when it has written that.
      const mayTakeLess = error instanceof UpstreamError && !['unreachable', 'idle'].includes(error.code)
      if (!mayTakeLess || error.status === 401 || error.status === 403 || error.status === 429) throw error
      refused = error
    }
  if (refused instanceof UpstreamError && [404, 405, 501].includes(refused.status ?? 0))
    throw new UpstreamError(
      'no_completions',
      `the ${server.role} cannot go on with a given text: it needs POST /v1/completions, or there is no model "${server.model}"`,
      { cause: refused },
    )
  throw refused
}

/** What it writes after the first beginning that it goes on from in visible words; else after the last. */
async function writtenIn(features: ApiFeatures, server: Server, signal: AbortSignal): Promise<Written> {
  const after = async (beginning: string): Promise<Written> => {
    const prompts = features.batch ? [beginning, beginning] : [beginning]
    const pieces = await all(server.write(prompts, greedy, features, signal))
    return { features, beginning, text: textOf(pieces), tellsIds: pieces.some(({ ids }) => ids !== undefined) }
  }
  const [first, ...others] = BEGINNINGS
  let found = await after(first)
  for (const other of others) {
    if (middle(found.text) !== undefined) break
    found = await after(other)
  }
  return found
}

interface Asking {
  features: ApiFeatures
  beginning: string
  signal: AbortSignal
}

async function stoppedAt(
  server: Server,
  { features, beginning, stop, signal }: Asking & { stop: string },
): Promise<Capabilities['stops']> {
  try {
    const pieces = await all(server.write([beginning], { ...greedy, stop: [stop] }, features, signal))
    if (pieces.at(-1)?.end !== 'stop') return 'unclear'
    if (textOf(pieces).endsWith(stop)) return 'kept'
    return pieces.at(-1)?.stop === stop ? 'told' : 'unclear'
  } catch {
    signal.throwIfAborted()
    return 'unclear'
  }
}

/** Asked with the text that it is known to go on from: who ends it at once tells no ids. */
async function takesIds(server: Server, { features, beginning, signal }: Asking): Promise<boolean> {
  try {
    const tokens = await tokenize(server, beginning, signal, true)
    const pieces = await all(server.write([[...tokens]], { ...greedy, maxTokens: 1 }, features, signal))
    return pieces.some(({ ids }) => ids !== undefined)
  } catch {
    signal.throwIfAborted()
    return false
  }
}

async function tokenized(server: Server, signal: AbortSignal): Promise<readonly number[] | undefined> {
  try {
    const ids = await tokenize(server, SAMPLE, signal, false)
    await detokenize(server, ids.slice(0, 1), signal)
    return ids
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/** @param special whether what the model wants before a text is put there. @throws {UpstreamError}; the signal's reason */
export async function tokenize(
  server: Server,
  text: string,
  signal: AbortSignal,
  special: boolean,
): Promise<readonly number[]> {
  // `prompt`: vLLM, SGLang and our own; `content`: llama-server.
  const body = { prompt: text, content: text, add_special_tokens: special, add_special: special, parse_special: true }
  return (await server.ask('root:/tokenize', body, Tokenized, signal)).tokens
}

/** Special tokens spelled out. @throws {UpstreamError}; the signal's reason */
export const detokenize = (server: Server, tokens: readonly number[], signal: AbortSignal): Promise<string> =>
  server.ask('root:/detokenize', { tokens, skip_special_tokens: false }, Detokenized, signal)

/** A character that certainly ends the text before its eighth token: one from its middle that is not at its beginning. */
function middle(text: string): string | undefined {
  return /[!-~]/.exec(text.slice(Math.floor(text.length / 2)))?.[0]
}

const textOf = (pieces: readonly Piece[]): string =>
  pieces
    .filter(({ branch }) => branch === 0)
    .map(({ text }) => text)
    .join('')

async function all(pieces: AsyncIterable<Piece>): Promise<Piece[]> {
  const read: Piece[] = []
  for await (const piece of pieces) read.push(piece)
  return read
}
