/** Bytes of a UTF-8 character at most, so an unfinished one began no more tokens ago. */
const MOST_BYTES = 4

export interface DecodeOptions {
  /** Special tokens give no text. Defaults to true. */
  skipSpecial?: boolean
  /** Tokens that stand before the text: a character may begin with their last and end in it. Default none. */
  after?: readonly number[]
}

/** What a tokenizer knows of its tokens. */
interface Vocabulary {
  readonly specialIds: ReadonlySet<number>
  /** The bytes of a token's text. */
  decodeToken(id: number): Uint8Array
}

/** Turns tokens into text one at a time. A character whose bytes are spread over tokens comes out with its last one. */
export class StreamingDecoder {
  readonly #vocabulary: Vocabulary
  readonly #skipSpecial: boolean
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  constructor(vocabulary: Vocabulary, { skipSpecial = true, after = [] }: DecodeOptions = {}) {
    this.#vocabulary = vocabulary
    this.#skipSpecial = skipSpecial
    this.pushAll(after.slice(-MOST_BYTES))
  }

  /** The text that this token completes: perhaps none. */
  push(id: number): string {
    if (this.#skipSpecial && this.#vocabulary.specialIds.has(id)) return ''
    return this.#decoder.decode(this.#vocabulary.decodeToken(id), { stream: true })
  }

  /** The text that these tokens complete. */
  pushAll(ids: Iterable<number>): string {
    return Array.from(ids, (id) => this.push(id)).join('')
  }

  /** The end of the text: U+FFFD if a character was left unfinished, else ''. The decoder then starts anew. */
  flush(): string {
    return this.#decoder.decode()
  }
}
