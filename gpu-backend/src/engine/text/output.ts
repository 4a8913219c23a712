import { ChannelSplitter, StopStrings } from '@lookahead/sdk/protocol'
import type { ChannelState, TextPart } from '@lookahead/sdk/protocol'
import { StreamingDecoder } from '../../tokenizer/index.ts'
import type { DecodeOptions, Tokenizer } from '../../tokenizer/index.ts'

export interface OutputOptions extends DecodeOptions {
  /** The stop string that came is part of the text. Default false. */
  includeStop?: boolean
  /** Where the prompt leaves off, if stop strings count only in the answer. Default: they count in the whole text. */
  answerAfter?: ChannelState | undefined
}

/**
 * The output as text: whole characters only, and never the beginning of a stop string.
 * What might still become either is held back until the next token decides.
 */
export class OutputText {
  /** The stop string that came, if any; it and what follows are not part of the text. */
  stop: string | undefined
  /** Characters that came, and those of them that were returned. */
  decoded = 0
  released = 0
  readonly #stops: StopStrings
  readonly #includeStop: boolean
  readonly #decoder: StreamingDecoder
  readonly #channels: ChannelSplitter | undefined
  /** Text that a stop string may begin in. */
  #held = ''
  /** Characters at the start in which no stop string may end. */
  #exempt = 0

  constructor(tokenizer: Tokenizer, stops: readonly string[], options: OutputOptions = {}) {
    const { includeStop = false, answerAfter, ...decode } = options
    this.#stops = new StopStrings(stops)
    this.#includeStop = includeStop
    this.#channels = answerAfter && stops.length > 0 ? new ChannelSplitter(answerAfter) : undefined
    this.#decoder = new StreamingDecoder(tokenizer, decode)
  }

  get stopped(): boolean {
    return this.stop !== undefined
  }

  /**
   * @param mayStop false lets stop strings pass that end here, as long as the text is too short to end
   * @returns text that is now certain to be output
   */
  push(token: number, mayStop = true): string {
    if (this.stopped) return ''
    const text = this.#decoder.push(token)
    this.decoded += text.length
    if (!mayStop) this.#exempt = this.decoded
    const certain = this.#read(this.#parts(text))
    // Nothing can stop the thinking: whether it ends here does not matter yet.
    return this.#channels?.state.thinking ? certain + this.#release(this.#channels.release()) : certain
  }

  /** The text has ended: what was held back is output after all, if no stop string proves to be in it. */
  flush(): string {
    if (this.stopped) return ''
    const rest = this.#parts(this.#decoder.flush())
    const certain = this.#read([...rest, ...(this.#channels?.cutRest() ?? [])])
    return certain + this.#take(this.#held.length)
  }

  /** Where stop strings count everywhere, all is as good as answer. */
  #parts(text: string): TextPart[] {
    return this.#channels?.cut(text) ?? [{ channel: 'answer', text }]
  }

  #read(parts: readonly TextPart[]): string {
    let certain = ''
    for (const { channel, text } of parts) {
      if (this.stopped) break
      if (channel === 'answer') certain += this.#scan(text)
      else {
        certain += this.#take(this.#held.length) + this.#release(text)
        this.#stops.reset()
      }
    }
    return certain
  }

  #scan(text: string): string {
    const first = this.#stops.read(text, this.released + this.#held.length, this.#exempt)
    this.#held += text
    if (!first) return this.#take(this.#held.length - this.#stops.begun)
    this.stop = first.stop
    const certain = this.#take(first.at - this.released + (this.#includeStop ? first.stop.length : 0))
    this.#held = ''
    return certain
  }

  #take(length: number): string {
    const text = this.#held.slice(0, length)
    this.#held = this.#held.slice(length)
    return this.#release(text)
  }

  #release(text: string): string {
    this.released += text.length
    return text
  }
}
