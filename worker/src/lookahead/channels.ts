const CLOSE = '</think>'

export interface Delta {
  channel: 'reasoning' | 'answer'
  text: string
}

/** Splits output into reasoning and answer at `</think>`. The tag and the white space right around it belong to neither. */
export class ChannelSplitter {
  #channel: Delta['channel']
  /** Reasoning that may yet turn out to be white space before the tag, or the tag's beginning. */
  #held = ''
  #answerBegun: boolean

  /** @param thinking whether the text starts inside `<think>` */
  constructor(thinking: boolean) {
    this.#channel = thinking ? 'reasoning' : 'answer'
    this.#answerBegun = !thinking
  }

  push(text: string): Delta[] {
    if (this.#channel === 'answer') return this.#answer(text)
    this.#held += text
    const close = this.#held.indexOf(CLOSE)
    if (close >= 0) {
      const [reasoning, answer] = [this.#held.slice(0, close).trimEnd(), this.#held.slice(close + CLOSE.length)]
      this.#channel = 'answer'
      this.#held = ''
      return [...delta('reasoning', reasoning), ...this.#answer(answer)]
    }
    const certain = this.#held.length - undecided(this.#held)
    const reasoning = this.#held.slice(0, certain)
    this.#held = this.#held.slice(certain)
    return delta('reasoning', reasoning)
  }

  /** The text has ended: what was held back is reasoning after all. */
  flush(): Delta[] {
    const held = this.#held
    this.#held = ''
    return delta('reasoning', held)
  }

  #answer(text: string): Delta[] {
    const answer = this.#answerBegun ? text : text.trimStart()
    this.#answerBegun ||= answer !== ''
    return delta('answer', answer)
  }
}

const delta = (channel: Delta['channel'], text: string): Delta[] => (text === '' ? [] : [{ channel, text }])

/** Length of the longest end of `text` that can be white space and the beginning of the tag. */
function undecided(text: string): number {
  let tag = Math.min(CLOSE.length - 1, text.length)
  while (!text.endsWith(CLOSE.slice(0, tag))) tag--
  return text.length - text.slice(0, text.length - tag).trimEnd().length
}
