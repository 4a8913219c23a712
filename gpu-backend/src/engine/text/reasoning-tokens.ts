import { ChannelSplitter } from '@lookahead/sdk/protocol'
import type { ChannelState } from '@lookahead/sdk/protocol'
import { StreamingDecoder } from '../../tokenizer/index.ts'
import type { Tokenizer } from '../../tokenizer/index.ts'

/** Counts the tokens of a text that are thinking: those before which, or after which, `<think>` is open. So its tags count. */
export class ReasoningTokens {
  readonly #decoder: StreamingDecoder
  readonly #channels: ChannelSplitter

  /** @param channels where the prompt leaves off */
  constructor(tokenizer: Tokenizer, channels: ChannelState) {
    this.#decoder = new StreamingDecoder(tokenizer)
    this.#channels = new ChannelSplitter(channels)
  }

  /** @returns how many of the tokens that come next are thinking */
  push(tokens: readonly number[]): number {
    return tokens.filter((token) => {
      const before = this.#channels.state.thinking
      this.#channels.cut(this.#decoder.push(token))
      return before || this.#channels.state.thinking
    }).length
  }
}
