/**
 * The prefixes that a model expands at once, as token slots: the context, then a chain of drafted tokens, then for each
 * branch its own tokens. Branch `b` sees the context, `b.prefix` tokens of the chain, and itself; nothing is copied.
 */
import type { Reduction, Row, Scores } from '../model/index.ts'
import type { Decoder } from './decoder.ts'

/** Tokens whose keys and values stand in slots: `slots[i]` holds `tokens[i]`. */
interface Run {
  tokens: number[]
  slots: number[]
}

export interface Leaf {
  /** Chain tokens before the leaf's own. */
  prefix: number
  /** Slots of its own tokens, as far as they were run. */
  slots: number[]
}

/** Tokens to run next on a leaf; scores come back for each. */
export interface Work {
  leaf: Leaf
  tokens: readonly number[]
}

/** Expands one text for as long as one call works on it. In the end it must be released, unless it was committed. */
export class Tree {
  readonly context: Run = { tokens: [], slots: [] }
  readonly chain: Run = { tokens: [], slots: [] }
  /** Tokens of the text that had been run before. */
  cached = 0
  readonly #decoder: Decoder
  readonly #signal: AbortSignal | undefined
  readonly #reduced: Reduction | undefined
  readonly #leaves = new Set<Leaf>()
  #leave: (() => void) | undefined

  /**
   * @param signal drops forwards that have not begun
   * @param reduced when less than whole rows of logits will do
   */
  constructor(decoder: Decoder, signal?: AbortSignal, reduced?: Reduction) {
    this.#decoder = decoder
    this.#signal = signal
    this.#reduced = reduced
  }

  /**
   * Runs what no other text has run of `text` before, and the chain after it. To be called once, before all else.
   * @returns scores after `text` and after `wanted` first chain tokens: one for each entry of `wanted`
   */
  async prefill(text: readonly number[], chain: readonly number[], wanted: readonly number[]): Promise<Scores[]> {
    const { cache, batcher } = this.#decoder
    const { context } = this
    this.#leave = batcher.enter()
    // The last token is always run, for its logits.
    context.slots = cache.match(text.slice(0, -1))
    const cached = (this.cached = context.slots.length)
    const fresh = text.slice(cached)
    const tokens = [...fresh, ...chain]
    const slots = this.#decoder.take(tokens.length)
    context.tokens = [...text]
    context.slots = context.slots.concat(slots.slice(0, fresh.length))
    this.chain.tokens = [...chain]
    this.chain.slots = slots.slice(fresh.length)
    const scores = await this.#forward({
      tokens,
      positions: tokens.map((_, i) => cached + i),
      writeSlots: slots,
      keySlots: [...context.slots, ...this.chain.slots],
      sees: tokens.map((_, i) => [[0, cached + i + 1]]),
      logitRows: wanted.map((n) => fresh.length - 1 + n),
    })
    context.slots = cache.insert(context.tokens, context.slots)
    return scores
  }

  leaf(prefix: number): Leaf {
    const leaf: Leaf = { prefix, slots: [] }
    this.#leaves.add(leaf)
    return leaf
  }

  /** Runs the work of all leaves in one packed forward. @returns for each work item, the scores after each of its tokens */
  async advance(work: readonly Work[]): Promise<Scores[][]> {
    const { context, chain } = this
    const keySlots = [...context.slots, ...chain.slots]
    const positions: number[] = []
    const writeSlots: number[] = []
    const sees: (readonly [number, number])[][] = []
    for (const { leaf, tokens } of work) {
      const start = leaf.slots.length
      const end = context.slots.length + leaf.prefix
      const own = keySlots.length
      leaf.slots.push(...this.#decoder.take(tokens.length))
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
    const scores = await this.#forward(
      {
        tokens,
        positions,
        writeSlots,
        keySlots,
        sees,
        logitRows: tokens.map((_, i) => i),
      },
      true,
    )
    return work.map((item) => scores.splice(0, item.tokens.length))
  }

  /** Gives back the slots of a leaf's last tokens, keeping the first `length`. */
  trim(leaf: Leaf, length: number): void {
    this.#decoder.pool.give(leaf.slots.splice(length))
  }

  /** The chain's first `prefix` tokens and a leaf's run tokens become context, for others to share; the tree is released. */
  commit(prefix: number, leaf?: Leaf, tokens: readonly number[] = []): void {
    const { context, chain } = this
    context.tokens = context.tokens.concat(chain.tokens.slice(0, prefix), tokens.slice(0, leaf?.slots.length ?? 0))
    context.slots = context.slots.concat(chain.slots.splice(0, prefix), leaf?.slots.splice(0) ?? [])
    context.slots = this.#decoder.cache.insert(context.tokens, context.slots)
    this.release()
  }

  /** Gives back every slot. What was committed may stay in the prefix cache. Further calls do nothing. */
  release(): void {
    const { pool } = this.#decoder
    for (const run of [...this.#leaves, this.chain, this.context]) pool.give(run.slots.splice(0))
    this.#leave?.()
  }

  async #forward(row: Row, urgent = false): Promise<Scores[]> {
    const rows = [{ ...row, reduced: this.#reduced }]
    const [scores] = await this.#decoder.batcher.run(rows, { urgent, signal: this.#signal })
    return scores!
  }
}
