import type { Delta } from '../events.ts'
import type { OutputText } from '../text/output.ts'

/** Text is sent at most this often: an event a token would cost more than the token. */
const DELTA_MS = 20

/** What of the output no later verdict can change: its tokens, and its text as it is sent. */
export class CertainOutput {
  readonly tokens: number[] = []
  text = ''
  readonly #output: OutputText
  readonly #room: number
  /** Characters before this output. */
  readonly #before: number
  /** Tokens and characters that were sent. */
  readonly #sent = { tokens: 0, characters: 0 }
  #sentAt = 0

  /** @param room tokens at most */
  constructor(output: OutputText, room: number) {
    this.#output = output
    this.#room = room
    this.#before = output.decoded
  }

  get isFull(): boolean {
    return this.tokens.length >= this.#room
  }

  /** Whether a stop string has come: nothing is added after it. */
  get stopped(): boolean {
    return this.#output.stopped
  }

  /** Characters of this output before the stop string, if it has come; it may begin in what was there before. */
  get lengthBeforeStop(): number {
    return this.stopped ? Math.max(0, this.#output.released - this.#before) : Infinity
  }

  /** @param tokens all of them, those that are there already included */
  grow(tokens: readonly number[]): void {
    for (const token of tokens.slice(this.tokens.length, this.#room)) {
      if (this.stopped) return
      this.tokens.push(token)
      this.text += this.#output.push(token)
    }
  }

  /** The output has ended: what might have become a stop string is text after all. */
  end(): void {
    this.text += this.#output.flush()
  }

  /** The text since the last delta, once it is time. What is left when the output ends is the commit's to tell. */
  *deltas(): Generator<Delta> {
    const text = this.text.slice(this.#sent.characters)
    if (text === '' || performance.now() - this.#sentAt < DELTA_MS) return
    yield { type: 'delta', text, tokens: this.tokens.slice(this.#sent.tokens) }
    this.#sent.tokens = this.tokens.length
    this.#sent.characters = this.text.length
    this.#sentAt = performance.now()
  }
}
