import { StreamingDecoder } from '../tokenizer/index.ts'
import type { Tokenizer } from '../tokenizer/index.ts'

/**
 * The output as text: whole characters only, and never the beginning of a stop string.
 * What might still become either is held back until the next token decides.
 */
export class OutputText {
  readonly stops: readonly string[]
  /** Set once a stop string came; it and what follows are not part of the text. */
  stopped = false
  readonly #decoder: StreamingDecoder
  #held = ''

  constructor(tokenizer: Tokenizer, stops: readonly string[]) {
    this.stops = stops
    this.#decoder = new StreamingDecoder(tokenizer)
  }

  /** @returns text that is now certain to be output */
  push(token: number): string {
    if (this.stopped) return ''
    this.#held += this.#decoder.push(token)
    const found = this.stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0)
    if (found.length > 0) {
      this.stopped = true
      return this.#release(Math.min(...found), true)
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
