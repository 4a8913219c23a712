import type { Model } from '../model/index.ts'
import type { SlotPool } from './slots.ts'

/** A model with its pool of slots, and what to do when the pool runs dry. */
export interface Decoder {
  model: Model
  pool: SlotPool
  /** Takes slots, making room by dropping idle contexts. @throws {ProtocolError} 429 `overloaded` when there is no room. */
  take(n: number): number[]
}

/**
 * Tokens whose keys and values stand in a model's pool, in order: `slots[i]` holds `tokens[i]`.
 * It follows the text it is told to follow; what no longer fits is given back.
 */
export class Sequence {
  readonly decoder: Decoder
  readonly tokens: number[] = []
  readonly slots: number[] = []

  constructor(decoder: Decoder) {
    this.decoder = decoder
  }

  get length(): number {
    return this.tokens.length
  }

  /** Keeps what agrees with the text, but leaves at least its last token to be run, for its logits. */
  follow(text: readonly number[]): void {
    let same = 0
    while (same < this.length && same < text.length - 1 && this.tokens[same] === text[same]) same++
    this.truncate(same)
  }

  /** Appends tokens that already stand in slots. */
  adopt(tokens: readonly number[], slots: readonly number[]): void {
    if (tokens.length !== slots.length) throw new Error(`${tokens.length} tokens in ${slots.length} slots`)
    this.tokens.push(...tokens)
    this.slots.push(...slots)
  }

  truncate(length: number): void {
    this.tokens.length = Math.min(length, this.length)
    this.decoder.pool.give(this.slots.splice(length))
  }
}
