const OPEN = '<think>'
const CLOSE = '</think>'

export interface ChannelDelta {
  channel: 'reasoning' | 'answer'
  text: string
}

/**
 * Splits output into reasoning and answer at `</think>`. Text that does not start inside `<think>` is all answer, unless
 * it opens with that tag itself. The tags and the white space right around them belong to neither.
 */
export class ChannelSplitter {
  #state: 'opening' | 'reasoning' | 'answer'
  /** Text that may yet turn out to be a tag's beginning, or the white space before one. */
  #held = ''
  /** Drops the white space behind a tag. */
  #afterTag = false

  /** @param thinking whether the text starts inside `<think>` */
  constructor(thinking: boolean) {
    this.#state = thinking ? 'reasoning' : 'opening'
  }

  push(text: string): ChannelDelta[] {
    if (this.#state === 'answer') return this.#emit('answer', text)
    this.#held += text
    return this.#state === 'opening' ? this.#open() : this.#reason()
  }

  /** The text has ended: what was held back is text after all. */
  flush(): ChannelDelta[] {
    return this.#emit(this.#state === 'reasoning' ? 'reasoning' : 'answer', this.#take())
  }

  #open(): ChannelDelta[] {
    const start = this.#held.trimStart()
    if (start.length < OPEN.length && OPEN.startsWith(start)) return []
    const held = this.#take()
    if (start.startsWith(OPEN)) return this.#enter('reasoning', start.slice(OPEN.length))
    this.#state = 'answer'
    return this.#emit('answer', held)
  }

  #reason(): ChannelDelta[] {
    const close = this.#held.indexOf(CLOSE)
    if (close < 0) {
      const certain = this.#held.length - undecided(this.#held)
      const held = this.#take()
      this.#held = held.slice(certain)
      return this.#emit('reasoning', held.slice(0, certain))
    }
    const held = this.#take()
    const reasoning = this.#emit('reasoning', held.slice(0, close).trimEnd())
    return [...reasoning, ...this.#enter('answer', held.slice(close + CLOSE.length))]
  }

  #enter(state: 'reasoning' | 'answer', text: string): ChannelDelta[] {
    this.#state = state
    this.#afterTag = true
    return this.push(text)
  }

  #emit(channel: ChannelDelta['channel'], text: string): ChannelDelta[] {
    const kept = this.#afterTag ? text.trimStart() : text
    if (kept === '') return []
    this.#afterTag = false
    return [{ channel, text: kept }]
  }

  #take(): string {
    const held = this.#held
    this.#held = ''
    return held
  }
}

/** Length of the longest end of `text` that can be white space and the beginning of the closing tag. */
function undecided(text: string): number {
  let tag = Math.min(CLOSE.length - 1, text.length)
  while (!text.endsWith(CLOSE.slice(0, tag))) tag--
  return text.length - text.slice(0, text.length - tag).trimEnd().length
}
