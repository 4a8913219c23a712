import { ChannelSplitter } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'

/** Looks for a run's own stop strings in what is written, and holds back what may begin one. */
export class StopWatch {
  /** One has come: it and what follows are not part of the text. */
  stopped = false
  readonly #stops: readonly string[]
  /** Where stop strings count in the answer alone. */
  readonly #channels: ChannelSplitter | undefined
  #held = ''

  constructor(stops: readonly string[], inReasoning: boolean, after: ChannelState) {
    this.#stops = stops
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
    return parts
      .map(({ channel, text }) => {
        if (this.stopped) return ''
        return channel === 'answer' ? this.#scan(text) : this.#release() + text
      })
      .join('')
  }

  #scan(text: string): string {
    if (this.stopped) return ''
    const all = this.#held + text
    const places = this.#stops.map((stop) => all.indexOf(stop)).filter((at) => at >= 0)
    this.stopped = places.length > 0
    const certain = this.stopped ? Math.min(...places) : all.length - this.#begun(all)
    this.#held = this.stopped ? '' : all.slice(certain)
    return all.slice(0, certain)
  }

  #release(): string {
    const text = this.stopped ? '' : this.#held
    this.#held = ''
    return text
  }

  /** Length of the end of a text that may begin a stop string. */
  #begun(text: string): number {
    const lengths = this.#stops.map((stop) => {
      let length = Math.min(stop.length - 1, text.length)
      while (length > 0 && !stop.startsWith(text.slice(-length))) length--
      return length
    })
    return Math.max(0, ...lengths)
  }
}
