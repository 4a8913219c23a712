import type { Commit, Delta } from '../../lookahead/upstream.ts'
import { EMPTY, joined } from './passage.ts'
import type { Passage } from './passage.ts'
import type { StopScanner } from './stop-scanner.ts'

export interface CommitBuilderOptions {
  /** Steps the target writes after those that were accepted. */
  decode: number | 'end'
  /** Tokens committed at most. */
  maxTokens: number
  signal: AbortSignal
  stops: StopScanner
  /** Is told of all that was said so far, which stands if the call fails now. */
  said: (passage: Passage) => void
}

/** What one call of `verify` commits, put together as it comes. */
export class CommitBuilder {
  readonly decode: number | 'end'
  readonly maxTokens: number
  readonly signal: AbortSignal
  /** Everything, what is held back included. */
  passage: Passage = EMPTY
  /** Steps of the draft, and of the target after them. */
  accepted = 0
  written = 0
  judgeMs = 0
  forwards = 0
  #text = ''
  #correction = ''
  #isOver = false
  #isFull = false
  readonly #stops: StopScanner
  readonly #said: CommitBuilderOptions['said']

  constructor({ decode, maxTokens, signal, stops, said }: CommitBuilderOptions) {
    this.decode = decode
    this.maxTokens = maxTokens
    this.signal = signal
    this.#stops = stops
    this.#said = said
  }

  /** Tokens to come. */
  get room(): number {
    return this.maxTokens - this.passage.tokens
  }

  /** A stop string has come. */
  get stopped(): boolean {
    return this.#stops.stopped
  }

  /** An accepted step. @returns what can be told of it at once */
  accept(step: Passage): Delta {
    this.accepted++
    return this.#add(step)
  }

  /** What the target wrote. @returns what can be told of it at once */
  write(passage: Passage): Delta {
    this.#correction += passage.text
    return this.#add(passage)
  }

  /** The target ended the text. */
  over(): void {
    this.#isOver = true
  }

  /** The target's context holds no more. */
  full(): void {
    this.#isFull = true
  }

  build(): { commit: Commit; judgeMs: number; forwards: number } {
    const hasEnded = this.#isOver || this.stopped
    const finish = hasEnded ? 'stop' : this.room <= 0 || this.#isFull ? 'length' : undefined
    if (finish) this.#text += this.#stops.flush()
    const { tokens, ids, thinking: reasoningTokens } = this.passage
    const commit: Commit = {
      type: 'commit',
      accepted: this.accepted,
      steps: this.accepted + this.written,
      text: this.#text,
      tokens,
      ...(ids && { ids }),
      reasoningTokens,
      correction: this.#correction,
      finish,
    }
    return { commit, judgeMs: this.judgeMs, forwards: this.forwards }
  }

  #add(passage: Passage): Delta {
    this.passage = joined(this.passage, passage)
    this.#said(this.passage)
    const text = this.#stops.push(passage.text)
    this.#text += text
    return { type: 'delta', text, tokens: passage.tokens }
  }
}
