import { MOST_BYTES, StreamingDecoder } from '../../tokenizer/index.ts'
import type { DecodeOptions, Tokenizer } from '../../tokenizer/index.ts'

export interface OutputOptions extends DecodeOptions {
  /** The stop string that came is part of the text. Default false. */
  includeStop?: boolean
  /** Tokens that stand before the output: a character may begin with their last and end in the output. Default none. */
  after?: readonly number[]
}

/**
 * The output as text: whole characters only, and never the beginning of a stop string.
 * What might still become either is held back until the next token decides.
 */
export class OutputText {
  readonly stops: readonly string[]
  /** The stop string that came, if any; it and what follows are not part of the text. */
  stop: string | undefined
  readonly #includeStop: boolean
  readonly #decoder: StreamingDecoder
  #held = ''

  constructor(tokenizer: Tokenizer, stops: readonly string[], options: OutputOptions = {}) {
    const { includeStop = false, after = [], ...decode } = options
    this.stops = stops
    this.#includeStop = includeStop
    this.#decoder = new StreamingDecoder(tokenizer, decode)
    for (const token of after.slice(-MOST_BYTES)) this.#decoder.push(token)
  }

  get stopped(): boolean {
    return this.stop !== undefined
  }

  /**
   * @param mayStop false lets stop strings pass, as long as the text is too short to end
   * @returns text that is now certain to be output
   */
  push(token: number, mayStop = true): string {
    if (this.stopped) return ''
    this.#held += this.#decoder.push(token)
    if (!mayStop) return this.#release(this.#held.length)
    const found = this.stops.map((stop) => ({ stop, at: this.#held.indexOf(stop) })).filter(({ at }) => at >= 0)
    const [first] = found.toSorted((a, b) => a.at - b.at)
    if (first) {
      this.stop = first.stop
      return this.#release(first.at + (this.#includeStop ? first.stop.length : 0), true)
    }
    return this.#release(this.#held.length - this.#danger())
  }

  /** The text has ended: what was held back is output after all. */
  flush(): string {
    if (this.stopped) return ''
    this.#held += this.#decoder.flush()
    return this.#release(this.#held.length)
  }

  /** Length of the longest end of the held text that begins a stop string. */
  #danger(): number {
    let longest = 0
    for (const stop of this.stops)
      for (let n = Math.min(stop.length - 1, this.#held.length); n > longest; n--)
        if (this.#held.endsWith(stop.slice(0, n))) longest = n
    return longest
  }

  #release(length: number, dropRest = false): string {
    const text = this.#held.slice(0, length)
    this.#held = dropRest ? '' : this.#held.slice(length)
    return text
  }
}
