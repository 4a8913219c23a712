/** The target's own version of each drafted step, all in one call: t[0] after what is committed, t[1] after d[0], … */
import type { ChannelState, Sampling, StepRules } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../../lookahead/upstream.ts'
import { StepCutter, stopsOf } from './cutter.ts'
import type { Step } from './cutter.ts'
import { EMPTY, joined, promptOf } from './passage.ts'
import type { Passage } from './passage.ts'
import type { Capabilities } from './probe.ts'
import { Reader } from './reader.ts'
import { writeWithin } from './room.ts'
import { inCalls } from './server.ts'
import type { Piece } from './piece.ts'
import type { Server } from './server.ts'
import { wholeTokens } from './whole-tokens.ts'

export interface Branches {
  /** What each goes on from, and where that leaves off. */
  after: readonly { text: Passage; channels: ChannelState }[]
  rules: StepRules
  /** Tokens that each may have. */
  maxTokens: number
  sampling: Sampling
  seedOffset: number
  isRendered: boolean
}

/** One step a branch. @throws {UpstreamError}; the signal's reason */
export async function writeBranches(
  server: Server,
  can: Capabilities,
  { after, rules, maxTokens, isRendered, sampling, seedOffset }: Branches,
  signal: AbortSignal,
): Promise<Step[]> {
  const scope = new AbortController()
  const either = AbortSignal.any([signal, scope.signal])
  const stop = can.stops === 'unclear' ? undefined : stopsOf(rules)
  const writing = { maxTokens, sampling, seedOffset, isRendered, ...(stop && { stop }) }
  const writers = after.map(({ channels }) => (stop ? new Stopped(stop, channels) : new Cut(rules, channels)))
  // No server takes texts and ids in one call.
  const isKnown = after.every(({ text }) => text.ids)
  const prompts = after.map(({ text }) => (isKnown ? promptOf(text) : text.text))
  try {
    const calls = inCalls([...prompts.keys()], can)
    await Promise.all(
      calls.map((branches) => {
        const own = branches.map((branch) => prompts[branch]!)
        return fill(
          branches.map((branch) => writers[branch]!),
          writeWithin(server, own, writing, can, either),
        )
      }),
    )
  } finally {
    scope.abort()
  }
  const steps = writers.map(({ step }) => {
    if (!step) throw new UpstreamError('bad_answer', `the ${server.role} did not go on with every prompt`)
    return step
  })
  return stop ? Promise.all(steps.map((step) => wholeTokens(server, step, stop, signal))) : steps
}

/** Reads until all have their step; what else the server would write is not waited for. */
async function fill(writers: readonly (Stopped | Cut)[], pieces: AsyncIterable<Piece>): Promise<void> {
  for await (const piece of pieces) {
    writers[piece.branch]?.push(piece)
    if (writers.every(({ step }) => step)) return
  }
}

/** The server stops at the end of the step. */
class Stopped {
  step: Step | undefined
  readonly #stops: readonly string[]
  readonly #reader: Reader
  #text = EMPTY

  constructor(stops: readonly string[], channels: ChannelState) {
    this.#stops = stops
    this.#reader = new Reader(channels)
  }

  push(piece: Piece): void {
    this.#text = joined(this.#text, this.#reader.read(piece))
    if (!piece.end) return
    const { stop } = piece
    const isLeftOut = stop !== undefined && this.#stops.includes(stop) && !this.#text.text.endsWith(stop)
    const text = isLeftOut ? this.#text.text + stop : this.#text.text
    const isDelimited = this.#stops.some((delimiter) => text.endsWith(delimiter))
    const end = piece.end === 'length' ? 'cap' : isDelimited ? 'delimiter' : 'text'
    this.step = { ...this.#text, text, end: isDelimited ? 'delimiter' : end }
  }
}

/** The step is cut out of what the server writes. */
class Cut {
  step: Step | undefined
  readonly #cutter: StepCutter
  readonly #reader: Reader

  constructor(rules: StepRules, channels: ChannelState) {
    this.#cutter = new StepCutter(rules, channels)
    this.#reader = new Reader(channels)
  }

  push(piece: Piece): void {
    if (this.step) return
    const [first] = this.#cutter.push(this.#reader.read(piece))
    if (first) this.step = first
    else if (piece.end) {
      const [last = { ...EMPTY, end: 'text' as const }] = this.#cutter.flush('text')
      this.step = piece.end === 'length' ? { ...last, end: 'cap' } : last
    }
  }
}
