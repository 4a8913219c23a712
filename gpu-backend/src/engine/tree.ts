/**
 * The prefixes that a model expands at once, as token slots: the context, then a chain of drafted tokens, then for each
 * branch its own tokens. Branch `b` sees the context, `b.prefix` tokens of the chain, and itself; nothing is copied.
 */
import type { Reduction, Scores } from '../model/index.ts'
import type { Age } from './age.ts'
import type { Decoder } from './decoder.ts'
import { Tenancy } from './tenancy.ts'
import type { Due, Leaf, TenancyOptions } from './tenancy.ts'
import { layOut } from './tree-row.ts'
import type { Place } from './tree-row.ts'

export type { Leaf } from './tenancy.ts'

/** Tokens to run next on a leaf; scores come back for each. */
export interface Work {
  leaf: Leaf
  tokens: readonly number[]
}

export interface TreeOptions extends TenancyOptions {
  /** Drops forwards that have not begun, and ends waiting. */
  signal?: AbortSignal | undefined
  /** When less than whole rows of logits will do. Default: never. */
  reduced?: Reduction | undefined
}

/**
 * Expands one text for as long as one call works on it. Where slots are short it waits, and now and then runs all again,
 * which nobody notices but by the time it takes. In the end it must be released, unless it was committed.
 */
export class Tree {
  /** Tokens of the text that had been run before. */
  cached = 0
  readonly tenancy: Tenancy
  readonly #decoder: Decoder
  readonly #signal: AbortSignal | undefined
  readonly #reduced: Reduction | undefined

  constructor(decoder: Decoder, options: TreeOptions = {}) {
    this.tenancy = new Tenancy(decoder, options)
    this.#decoder = decoder
    this.#signal = options.signal
    this.#reduced = options.reduced
  }

  get age(): Age {
    return this.tenancy.age
  }

  /** The drafted tokens. */
  get chain(): readonly number[] {
    return this.tenancy.chain.tokens
  }

  /**
   * Runs what no other text has run of `text` before, and the chain after it. To be called once, before all else.
   * @param reduced when less than whole rows of logits will do, if that is not as for the tree's other forwards
   * @returns scores after `text` and after `wanted` first chain tokens: one for each entry of `wanted`
   * @throws {ProtocolError} 400 `context_length_exceeded` when the pool is too small; {NoRoom}; the signal's reason
   */
  async prefill(
    text: readonly number[],
    chain: readonly number[],
    wanted: readonly number[],
    reduced = this.#reduced,
  ): Promise<Scores[]> {
    const { tenancy } = this
    const { context } = tenancy
    context.tokens = [...text]
    tenancy.chain.tokens = [...chain]
    const wantedAt = (place: Place) => wanted.map((n) => place(context, text.length - 1 + n))
    const scores = await this.#run({ runs: [context, tenancy.chain], asked: 1 + chain.length }, wantedAt, reduced)
    this.cached = tenancy.found
    return scores
  }

  /** A branch without tokens. Of a tree without a chain the first one's tokens may stay in the prefix cache. @param prefix chain tokens before it */
  leaf(prefix: number): Leaf {
    const leaf: Leaf = { prefix, tokens: [], slots: [] }
    this.tenancy.leaves.add(leaf)
    return leaf
  }

  /**
   * Runs the work of all leaves in one packed forward.
   * @returns for each work item, the scores after each of its tokens
   * @throws {ProtocolError} 400 `context_length_exceeded` when the pool is too small; {NoRoom}; the signal's reason
   */
  async advance(work: readonly Work[]): Promise<Scores[][]> {
    const { context, chain, path } = this.tenancy
    for (const { leaf, tokens } of work) leaf.tokens.push(...tokens)
    const runs = [context, chain, ...work.map(({ leaf }) => leaf)]
    const asked = work.find(({ leaf }) => path.includes(leaf))?.tokens.length ?? 0
    const scores = await this.#run({ runs, asked }, (place) =>
      work.flatMap(({ leaf, tokens }) => tokens.map((_, i) => place(leaf, leaf.tokens.length - tokens.length + i))),
    )
    return work.map((item) => scores.splice(0, item.tokens.length))
  }

  /** Forgets a leaf's last tokens and gives their slots back, keeping the first `length`. */
  trim(leaf: Leaf, length: number): void {
    this.tenancy.trim(leaf, length)
  }

  /** For one of several trees of a text: the others, which may need its slots, are at work without it now. */
  pause(): void {
    this.tenancy.pause()
  }

  /** The chain's first `prefix` tokens and a leaf's become context, for others to share; the tree is released. */
  commit(prefix: number, leaf?: Leaf): void {
    this.tenancy.commit(prefix, leaf)
  }

  /** Gives back every slot. What was committed may stay in the prefix cache. Further calls do nothing. */
  release(): void {
    this.tenancy.release()
  }

  /** Runs what is due once there are slots for it. @returns the scores of the tokens at the places wanted */
  async #run(due: Due, wanted: (place: Place) => number[], reduced = this.#reduced): Promise<Scores[]> {
    const { tenancy } = this
    try {
      const row = { ...layOut(await tenancy.claim(due), wanted), reduced }
      const options = { urgent: !tenancy.entering, signal: this.#signal }
      const [scores] = await this.#decoder.batcher.run([row], options)
      tenancy.ran()
      return scores!
    } catch (error) {
      // Its new slots may hold nothing of use.
      tenancy.release()
      throw error
    }
  }
}
