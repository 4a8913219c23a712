/** What a model thinks before it answers stands between `<think>` and `</think>`, and is told apart from the answer. */
import * as v from 'valibot'

const OPEN = '<think>'
const CLOSE = '</think>'
const TAGS = /<(\/?)think>/g

export type Channel = 'reasoning' | 'answer'

export interface ChannelDelta {
  channel: Channel
  text: string
}

/** Any part of a text: tags, and the white space right around them, belong to no channel. */
export interface TextPart {
  channel: Channel | undefined
  text: string
}

/** Where a text stands among the channels: all that has to be known of it to split what follows. */
export const ChannelState = v.object({
  /** Whether `<think>` is open. */
  thinking: v.boolean(),
  /** Whether nothing but white space has come since the last tag. */
  after_tag: v.optional(v.boolean(), false),
  /** The text's end, if it may be the beginning of a tag. */
  partial_tag: v.optional(v.string(), ''),
})
export type ChannelState = v.InferOutput<typeof ChannelState>
export type ChannelStateInput = v.InferInput<typeof ChannelState>

export const tagsIn = (text: string): string[] => text.match(TAGS) ?? []

/** Where a text stands: its last tag decides; without one it is an answer. */
export function channelsAfter(text: string): ChannelState {
  const [open, close] = [text.lastIndexOf(OPEN), text.lastIndexOf(CLOSE)]
  const thinking = open > close
  const start = thinking ? open + OPEN.length : close < 0 ? 0 : close + CLOSE.length
  return channelsThrough({ thinking, after_tag: start > 0 }, text.slice(start))
}

/** Where a text stands that goes on with `text`. */
export function channelsThrough(state: ChannelStateInput, text: string): ChannelState {
  const splitter = new ChannelSplitter(state)
  splitter.cut(text)
  return splitter.state
}

/**
 * Splits text, as it comes, into reasoning and answer: what follows `<think>` is reasoning and what follows `</think>` is
 * answer, as often as they come and whatever came before. The tags belong to neither, nor does white space before a tag in
 * reasoning, nor behind one, unless it is all that parts a channel's text from what the channel had before.
 */
export class ChannelSplitter {
  #channel: Channel
  #afterTag: boolean
  /** Text that may yet turn out to be a tag's beginning, or the white space before one. */
  #held: string
  /** Characters of the held text that belong to the text before. */
  #before: number
  /** What the text of each channel ends with so far. */
  readonly #ends: Record<Channel, 'nothing' | 'space' | 'word'> = { reasoning: 'nothing', answer: 'nothing' }

  /** @param state where the text before this one ends */
  constructor({ thinking, after_tag = false, partial_tag = '' }: ChannelStateInput) {
    this.#channel = thinking ? 'reasoning' : 'answer'
    this.#afterTag = after_tag
    this.#held = partial_tag
    this.#before = partial_tag.length
  }

  get state(): ChannelState {
    return { thinking: this.#channel === 'reasoning', after_tag: this.#afterTag, partial_tag: this.#held.trimStart() }
  }

  /** @returns the text that this one decides, as far as it belongs to a channel */
  push(text: string): ChannelDelta[] {
    return shown(this.cut(text))
  }

  /** The text has ended: what was held back is text after all. */
  flush(): ChannelDelta[] {
    return shown(this.cutRest())
  }

  /** What is held back, for one who needs no channels: it does not come again. */
  release(): string {
    const text = this.#held.slice(this.#before)
    this.#before = this.#held.length
    return text
  }

  /** As `push`, with the parts that belong to no channel: in order, and nothing left out. */
  cut(text: string): TextPart[] {
    const held = this.#held + text
    const parts: TextPart[] = []
    let start = 0
    for (const { 0: tag, 1: slash, index } of held.matchAll(TAGS)) {
      const stretch = held.slice(start, index)
      const end = stretch.length - this.#spaceBeforeTag(stretch)
      parts.push(...this.#stretch(stretch.slice(0, end)), { channel: undefined, text: stretch.slice(end) + tag })
      this.#channel = slash ? 'answer' : 'reasoning'
      this.#afterTag = true
      start = index + tag.length
    }
    const rest = held.slice(start)
    const word = rest.length - tagBegun(rest)
    const end = word - this.#spaceBeforeTag(rest.slice(0, word))
    parts.push(...this.#stretch(rest.slice(0, end)))
    this.#held = rest.slice(end)
    return this.#own(parts)
  }

  /** As `flush`, with the parts that belong to no channel. */
  cutRest(): TextPart[] {
    const held = this.#held
    this.#held = ''
    return this.#own(this.#stretch(held))
  }

  /** What a stretch between tags consists of. */
  #stretch(text: string): TextPart[] {
    const channel = this.#channel
    const start = this.#dropsSpace ? text.length - text.trimStart().length : 0
    const kept = text.slice(start)
    if (kept !== '') {
      this.#afterTag = false
      this.#ends[channel] = /\s$/.test(kept) ? 'space' : 'word'
    }
    return [
      { channel: undefined, text: text.slice(0, start) },
      { channel, text: kept },
    ]
  }

  /** Length of the white space at the end of a stretch that a tag behind it takes away. An answer does not wait for tags. */
  #spaceBeforeTag(stretch: string): number {
    const word = stretch.trimEnd().length
    if (word === 0 && this.#dropsSpace) return 0
    const isDropped = this.#channel === 'reasoning' || (this.#ends.answer === 'nothing' && word === 0)
    return isDropped ? stretch.length - word : 0
  }

  /** Whether white space that comes now belongs to no channel, whatever follows it. */
  get #dropsSpace(): boolean {
    return this.#afterTag && this.#ends[this.#channel] !== 'word'
  }

  /** Without what belongs to the text before. */
  #own(parts: readonly TextPart[]): TextPart[] {
    return parts.flatMap(({ channel, text }) => {
      const foreign = Math.min(this.#before, text.length)
      this.#before -= foreign
      return foreign < text.length ? [{ channel, text: text.slice(foreign) }] : []
    })
  }
}

const shown = (parts: readonly TextPart[]): ChannelDelta[] =>
  parts.flatMap(({ channel, text }) => (channel ? [{ channel, text }] : []))

/** Length of the end of a text that begins a tag. */
function tagBegun(text: string): number {
  const at = text.lastIndexOf('<')
  const end = text.slice(at)
  return at >= 0 && (OPEN.startsWith(end) || CLOSE.startsWith(end)) ? end.length : 0
}
