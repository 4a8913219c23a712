/**
 * The prefixes that a model expands at once, as token slots: the context, then a chain of drafted tokens, then for each
 * branch its own tokens. Branch `b` sees the context, `b.prefix` tokens of the chain, and itself; nothing is copied.
 */
import type { Row } from '../model/index.ts'
import type { Sequence } from './sequence.ts'

export interface Leaf {
  /** Chain tokens before the leaf's own. */
  prefix: number
  /** Slots of its own tokens, as far as they were run. */
  slots: number[]
}

/** Tokens to run next on a leaf; logits come back for each. */
export interface Work {
  leaf: Leaf
  tokens: readonly number[]
}

export class Tree {
  readonly context: Sequence
  readonly chain: { tokens: number[]; slots: number[] } = { tokens: [], slots: [] }
  readonly #leaves = new Set<Leaf>()
  #vocabulary: number

  constructor(context: Sequence) {
    this.context = context
    this.#vocabulary = context.decoder.model.config.vocabSize
  }

  /**
   * Runs what the context lacks of `text`, and the chain after it, in one forward.
   * @returns logits after `text` and after `wanted` first chain tokens: one row for each entry of `wanted`
   */
  async prefill(text: readonly number[], chain: readonly number[], wanted: readonly number[]): Promise<Float32Array[]> {
    const { context } = this
    context.follow(text)
    const cached = context.length
    const fresh = text.slice(cached)
    const tokens = [...fresh, ...chain]
    const slots = context.decoder.take(tokens.length)
    context.adopt(fresh, slots.slice(0, fresh.length))
    this.chain.tokens.push(...chain)
    this.chain.slots.push(...slots.slice(fresh.length))
    try {
      return await this.#forward({
        tokens,
        positions: tokens.map((_, i) => cached + i),
        writeSlots: slots,
        keySlots: [...context.slots, ...this.chain.slots],
        sees: tokens.map((_, i) => [[0, cached + i + 1]]),
        logitRows: wanted.map((n) => fresh.length - 1 + n),
      })
    } catch (error) {
      context.truncate(cached)
      throw error
    }
  }

  leaf(prefix: number): Leaf {
    const leaf: Leaf = { prefix, slots: [] }
    this.#leaves.add(leaf)
    return leaf
  }

  /** Runs the work of all leaves in one packed forward. @returns for each work item, the logits after each of its tokens */
  async advance(work: readonly Work[]): Promise<Float32Array[][]> {
    const { context, chain } = this
    const keySlots = [...context.slots, ...chain.slots]
    const positions: number[] = []
    const writeSlots: number[] = []
    const sees: (readonly [number, number])[][] = []
    for (const { leaf, tokens } of work) {
      const start = leaf.slots.length
      const end = context.length + leaf.prefix
      const own = keySlots.length
      leaf.slots.push(...context.decoder.take(tokens.length))
      keySlots.push(...leaf.slots)
      for (let i = start; i < leaf.slots.length; i++) {
        positions.push(end + i)
        writeSlots.push(leaf.slots[i]!)
        sees.push([
          [0, end],
          [own, own + i + 1],
        ])
      }
    }
    const tokens = work.flatMap((item) => item.tokens)
    const logits = await this.#forward({
      tokens,
      positions,
      writeSlots,
      keySlots,
      sees,
      logitRows: tokens.map((_, i) => i),
    })
    return work.map((item) => logits.splice(0, item.tokens.length))
  }

  /** Gives back the slots of a leaf's last tokens, keeping the first `length`. */
  trim(leaf: Leaf, length: number): void {
    this.context.decoder.pool.give(leaf.slots.splice(length))
  }

  /** The chain's first `prefix` tokens and a leaf's run tokens become context; everything else is given back. */
  commit(prefix: number, leaf?: Leaf, tokens: readonly number[] = []): void {
    this.context.adopt(this.chain.tokens.splice(0, prefix), this.chain.slots.splice(0, prefix))
    if (leaf) this.context.adopt(tokens.slice(0, leaf.slots.length), leaf.slots.splice(0))
    this.release()
  }

  /** Gives back every slot that did not become context. */
  release(): void {
    const { pool } = this.context.decoder
    for (const leaf of this.#leaves) pool.give(leaf.slots.splice(0))
    pool.give(this.chain.slots.splice(0))
    this.chain.tokens.length = 0
  }

  async #forward(row: Row): Promise<Float32Array[]> {
    const size = this.#vocabulary
    const logits = await this.context.decoder.model.forward([row])
    return row.logitRows.map((_, i) => logits.subarray(i * size, (i + 1) * size))
  }
}
