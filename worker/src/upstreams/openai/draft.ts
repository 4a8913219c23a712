/** The draft model writes steps ahead: one stream, cut into steps as it comes, and left when there are enough. */
import { channelsThrough, longestStep } from '@lookahead/sdk/protocol'
import { UpstreamError } from '../../lookahead/upstream.ts'
import type { Text } from '../../lookahead/upstream.ts'
import { passageOf } from './branches.ts'
import { StepCutter } from './cutter.ts'
import type { Step } from './cutter.ts'
import { capabilitiesOf } from './known.ts'
import { joined, promptOf, withoutIds } from './passage.ts'
import type { Passage } from './passage.ts'
import type { Capabilities } from './probe.ts'
import { promptAt } from './prompt.ts'
import type { Prompt } from './prompt.ts'
import type { Server } from './server.ts'
import type { Place } from './verify.ts'

/** Drafts one text. */
export class Drafter {
  readonly #server: Server
  readonly #text: Text
  /** Its own rendering of the messages, where its tokens are other than the target's. */
  #own: Prompt | undefined

  constructor(server: Server, text: Text) {
    this.#server = server
    this.#text = text
  }

  /**
   * Each step as soon as it is finished, with ids where both models have the same.
   * @throws {UpstreamError}; the signal's reason
   */
  async *steps(place: Place, depth: number, signal: AbortSignal): AsyncGenerator<Step, void, undefined> {
    const { prompt, output, rules, sampling } = place
    const can = await capabilitiesOf(this.#server)
    const isShared = can.ids && haveSameTokens(can, place.can)
    const { text, isRendered } = isShared
      ? { text: joined(prompt, output), isRendered: prompt.isRendered }
      : await this.#inOwnWords(place, can, signal)
    const cutter = new StepCutter(rules, channelsThrough(prompt.channels, output.text))
    const maxTokens = depth * longestStep(rules)
    const writing = { maxTokens, sampling, seedOffset: output.tokens, isRendered }
    const [pieces] = this.#server.write([promptOf(text)], writing, can, signal)
    let count = 0
    for await (const piece of pieces!) {
      const steps = [...cutter.push(passageOf(piece)), ...(piece.end === 'stop' ? cutter.flush('text') : [])]
      for (const step of steps.slice(0, depth - count)) {
        count++
        yield isShared ? step : { ...step, ids: undefined }
      }
      if (count >= depth || piece.end) return
    }
  }

  async #inOwnWords(
    { prompt, output }: Place,
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
