import type { StreamingDecoder, Tokenizer } from '../../tokenizer/index.ts'

/**
 * Where each token begins in the text, counted in code points, as OpenAI's servers and vLLM do. A token that ends no
 * character takes no room.
 */
export class Offsets {
  readonly #tokenizer: Tokenizer
  readonly #decoder: StreamingDecoder
  readonly #skipSpecial: boolean
  #at = 0

  /** @param after tokens before the text: a character may begin with their last */
  constructor(tokenizer: Tokenizer, after: readonly number[], { skipSpecial }: { skipSpecial: boolean }) {
    this.#tokenizer = tokenizer
    this.#skipSpecial = skipSpecial
    this.#decoder = tokenizer.streaming({ skipSpecial: false, after })
  }

  /** @param isOutput special tokens of the output may give no text */
  next(token: number, isOutput = true): number {
    const at = this.#at
    const isSkipped = isOutput && this.#skipSpecial && this.#tokenizer.specialIds.has(token)
    if (!isSkipped) this.#at += Array.from(this.#decoder.push(token)).length
    return at
  }
}
