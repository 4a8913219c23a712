/** What a server writes, read as it comes: which of its tokens are thinking shows only then. */
import { channelsThrough } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import type { Passage } from './passage.ts'
import type { Piece } from './piece.ts'

export class Reader {
  #channels: ChannelState

  /** @param after where the text before stands among reasoning and answer */
  constructor(after: ChannelState) {
    this.#channels = after
  }

  read({ text, ids }: Pick<Piece, 'text' | 'ids'>): Passage {
    const tokens = ids ? ids.length : text === '' ? 0 : 1
    const thinking = this.#thinkingIn(text, tokens)
    this.#channels = channelsThrough(this.#channels, text)
    return { text, ids: ids ?? (text === '' ? [] : undefined), tokens, thinking }
  }

  /** Tokens before which, or after which, `<think>` is open: so its tags count. Of several in one piece, by their share of its characters. */
  #thinkingIn(text: string, tokens: number): number {
    const { thinking } = this.#channels
    const isAfter = (characters: number) => channelsThrough(this.#channels, text.slice(0, characters)).thinking
    if (isAfter(text.length) === thinking) return thinking ? tokens : 0
    const ends = [...text.matchAll(/>/g)].map(({ index }) => index + 1)
    const turn = ends.find((end) => isAfter(end) !== thinking)!
    return thinking
      ? Math.ceil((tokens * turn) / text.length)
      : tokens - Math.floor((tokens * (turn - 1)) / text.length)
  }
}
