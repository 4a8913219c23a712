/** What a server writes, held against what it was asked for: it may be broken, or leave unread what it does not know. */
import { UpstreamError } from '../../lookahead/upstream.ts'
import type { Role } from './failure.ts'
import type { Piece } from './piece.ts'

/** No vocabulary has tokens longer than this. */
const TOKEN_CHARACTERS = 1024

export class StreamCheck {
  /** Of the prompts whose texts have not ended. */
  readonly #open: Map<number, { tokens: number; characters: number }>
  readonly #role: Role
  readonly #prompts: number
  readonly #maxTokens: number

  constructor(role: Role, prompts: number, maxTokens: number) {
    this.#role = role
    this.#prompts = prompts
    this.#maxTokens = maxTokens
    this.#open = new Map(Array.from({ length: prompts }, (_, i) => [i, { tokens: 0, characters: 0 }]))
  }

  /** Every text has ended. */
  get isOver(): boolean {
    return this.#open.size === 0
  }

  /**
   * @returns whether it counts: what comes after the end of its text does not
   * @throws {UpstreamError} `bad_answer`, where it goes on with another prompt, or beyond the tokens that were asked for
   */
  take({ branch, text, ids, end }: Piece): boolean {
    if (branch >= this.#prompts) throw this.#bad('goes on with a prompt that it was not given')
    const counts = this.#open.get(branch)
    if (!counts) return false
    counts.tokens += ids?.length ?? 0
    counts.characters += text.length
    if (counts.tokens > this.#maxTokens || counts.characters > this.#maxTokens * TOKEN_CHARACTERS)
      throw this.#bad('writes more than it was asked for')
    if (end) this.#open.delete(branch)
    return true
  }

  #bad(what: string): UpstreamError {
    return new UpstreamError('bad_answer', `the ${this.#role} ${what}`)
  }
}
