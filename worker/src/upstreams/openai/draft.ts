/** The draft model writes steps ahead: one stream, cut into steps as it comes, and other versions of them beside it. */
import { channelsThrough, longestStep } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../../lookahead/upstream.ts'
import type { Ahead, TextRequest } from '../../lookahead/upstream.ts'
import { alternativesTo } from './alternatives.ts'
import type { Beside, Drafted } from './alternatives.ts'
import { StepCutter } from './cutter.ts'
import type { Step } from './cutter.ts'
import { capabilitiesOf } from './capabilities.ts'
import { joined, promptOf, withoutIds } from './passage.ts'
import type { Passage } from './passage.ts'
import type { Capabilities } from './probe.ts'
import { promptAt } from './prompt.ts'
import type { Prompt } from './prompt.ts'
import { Reader } from './reader.ts'
import { isFull, writeWithin } from './room.ts'
import type { Server } from './server.ts'
import type { TextState } from './verify.ts'

/** Drafts one text. */
export class Drafter {
  readonly #server: Server
  readonly #text: TextRequest
  /** Its own rendering of the messages, where its tokens are other than the target's. */
  #own: Prompt | undefined

  constructor(server: Server, text: TextRequest) {
    this.#server = server
    this.#text = text
  }

  /**
   * Each step of the chain as soon as it is finished, then the alternatives beside it; with ids where both models have the same.
   * @throws {UpstreamError}; the signal's reason
   */
  async *steps(
    state: TextState,
    { depth, width }: Ahead,
    signal: AbortSignal,
  ): AsyncGenerator<Drafted, void, undefined> {
    const { prompt, output, rules, sampling } = state
    const can = await capabilitiesOf(this.#server)
    const isShared = can.ids && haveSameTokens(can, state.can)
    const { text: base, isRendered } = isShared
      ? { text: joined(prompt, output), isRendered: prompt.isRendered }
      : await this.#inOwnWords(state, can, signal)
    const told = (step: Step): Step => (isShared ? step : { ...step, ids: undefined })
    const channels = channelsThrough(prompt.channels, output.text)
    const position = output.tokens
    const chain: Step[] = []
    for await (const step of this.#chain(
      { base, channels, position, rules, sampling, isRendered },
      can,
      depth,
      signal,
    )) {
      yield { index: chain.length, alternative: undefined, step: told(step) }
      chain.push(step)
    }
    if (width === 1 || chain.length === 0) return
    const beside = { base, channels, position, chain, width, rules, sampling, isRendered }
    const others = await alternativesTo(this.#server, can, beside, signal).catch((error: unknown) => {
      if (isFull(error)) return []
      throw error
    })
    for (const other of others) yield { ...other, step: told(other.step) }
  }

  /** One stream, which is left when there are enough. */
  async *#chain(
    { base, channels, position, rules, sampling, isRendered }: Omit<Beside, 'chain' | 'width'>,
    can: Capabilities,
    depth: number,
    signal: AbortSignal,
  ): AsyncGenerator<Step, void, undefined> {
    const cutter = new StepCutter(rules, channels)
    const reader = new Reader(channels)
    const writing = { maxTokens: depth * longestStep(rules), sampling, seedOffset: position, isRendered }
    const pieces = writeWithin(this.#server, [promptOf(base)], writing, can, signal)
    let count = 0
    for await (const piece of pieces) {
      const steps = [...cutter.push(reader.read(piece)), ...(piece.end === 'stop' ? cutter.flush('text') : [])]
      for (const step of steps.slice(0, depth - count)) {
        count++
        yield step
      }
      if (count >= depth || piece.end) return
    }
  }

  async #inOwnWords(
    { prompt, output }: TextState,
    can: Capabilities,
    signal: AbortSignal,
  ): Promise<{ text: Passage; isRendered: boolean }> {
    this.#own ??= await promptAt(this.#server, can, this.#text, signal).catch((error: unknown) => {
      // What the target's template made of the messages is better than no draft.
      if (error instanceof UpstreamError && error.code === 'no_template') return prompt
      throw error
    })
    return { text: withoutIds(joined(this.#own, output)), isRendered: this.#own.isRendered }
  }
}

const haveSameTokens = ({ sample: a }: Capabilities, { sample: b }: Capabilities): boolean =>
  a !== undefined && b !== undefined && a.join() === b.join()
