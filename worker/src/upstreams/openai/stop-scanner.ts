import { ChannelSplitter, StopStrings } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'

/** Looks for a run's own stop strings in what is written, and holds back what may begin one. */
export class StopScanner {
  /** One has come: it and what follows are not part of the text. */
  stopped = false
  readonly #stops: StopStrings
  /** Where stop strings count in the answer alone. */
  readonly #channels: ChannelSplitter | undefined
  #held = ''

  constructor(stops: readonly string[], inReasoning: boolean, after: ChannelState) {
    this.#stops = new StopStrings(stops)
    this.#channels = inReasoning || stops.length === 0 ? undefined : new ChannelSplitter(after)
  }

  /** @returns text that is certain by now */
  push(text: string): string {
    if (!this.#channels) return this.#scan(text)
    return this.#read(this.#channels.cut(text))
  }

  /** The text has ended. @returns what was held back */
  flush(): string {
    const certain = this.#channels ? this.#read(this.#channels.cutRest()) : ''
    return certain + this.#release()
  }

  #read(parts: ReturnType<ChannelSplitter['cut']>): string {
    return parts.map(({ channel, text }) => (channel === 'answer' ? this.#scan(text) : this.#pass(text))).join('')
  }

  #scan(text: string): string {
    if (this.stopped) return ''
    const first = this.#stops.read(text, this.#held.length, 0)
    const all = this.#held + text
    this.stopped = first !== undefined
    const certain = first ? first.at : all.length - this.#stops.begun
    this.#held = this.stopped ? '' : all.slice(certain)
    return all.slice(0, certain)
  }

  /** What no stop string begins or ends in. */
  #pass(text: string): string {
    return this.stopped ? '' : this.#release() + text
  }

  #release(): string {
    const text = this.#held
    this.#held = ''
    this.#stops.reset()
    return text
  }
}
