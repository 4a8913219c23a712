import type { Decoder } from '../decoder.ts'
import { sample } from '../distribution.ts'
import type { Distribution } from '../distribution.ts'
import type { Random } from '../random.ts'
import type { Guess } from '../speculation.ts'
import { NoRoom } from '../slot-queue.ts'
import { Tree } from '../tree.ts'
import type { Leaf, TreeOptions } from '../tree.ts'
import type { MeasuredCosts } from './costs.ts'
import type { Proposer } from './proposer.ts'

export interface DraftModelOptions {
  /** Has the target's tokenizer. */
  decoder: Decoder
  /** Tokens the target knows; no others are guessed. */
  vocabulary: number
  /** What a token is drawn from, of the logits after `text`. */
  distribution: (logits: Float32Array, text: readonly number[]) => Distribution
  /** Not the target's: guesses must be independent of what judges them. */
  random: Random
  costs: MeasuredCosts
  /** How it asks for slots, and what ends it. */
  tree: TreeOptions & { signal: AbortSignal }
}

/**
 * A small model writes ahead (Leviathan et al., arXiv 2211.17192). Keys and values stay between proposals; those of rejected
 * guesses are given back, and what has not been run, such as the last guess, runs with the next proposal. Texts that propose
 * at the same time share the draft's forwards. Without slots nothing is guessed for once; when the model fails, nothing more.
 */
export class DraftModel implements Proposer {
  readonly #options: DraftModelOptions
  #tree: Tree | undefined
  #leaf: Leaf | undefined
  /** Length of the text that was run first. */
  #start = 0
  #failed = false

  constructor(options: DraftModelOptions) {
    this.#options = options
  }

  async propose(text: readonly number[], most: number): Promise<Guess[]> {
    if (this.#failed) return []
    const { decoder, tree } = this.#options
    try {
      return await this.#write(text, Math.min(most, decoder.capacity - text.length))
    } catch (error) {
      tree.signal.throwIfAborted()
      if (error instanceof NoRoom) {
        this.close()
        return []
      }
      console.error('the draft model failed, the text goes on without it:', error)
      this.#failed = true
      this.close()
      return []
    }
  }

  close(): void {
    this.#tree?.release()
    this.#tree = undefined
  }

  async #write(text: readonly number[], most: number): Promise<Guess[]> {
    const { vocabulary, distribution, random, costs, tree } = this.#options
    const written = [...text]
    const guesses: Guess[] = []
    while (guesses.length < most) {
      const started = performance.now()
      const logits = await this.#after(written)
      tree.signal.throwIfAborted()
      const q = distribution(logits.subarray(0, vocabulary), written)
      const token = sample(q, random.next())
      guesses.push({ token, q })
      written.push(token)
      if (this.#tree?.forwardMs !== undefined) costs.guessTook(performance.now() - started)
    }
    return guesses
  }

  /** The logits after `text`. */
  async #after(text: readonly number[]): Promise<Float32Array> {
    const { decoder, tree } = this.#options
    if (!this.#tree || !this.#leaf) {
      this.#tree = new Tree(decoder, { ...tree, most: decoder.capacity - text.length })
      this.#leaf = this.#tree.leaf(0)
      this.#start = text.length
      const [logits] = await this.#tree.prefill(text, [], [0])
      return logits!
    }
    const own = text.slice(this.#start)
    const run = this.#leaf.tokens
    const same = run.findIndex((token, i) => token !== own[i])
    this.#tree.trim(this.#leaf, Math.min(same < 0 ? run.length : same, own.length - 1))
    const [rows] = await this.#tree.advance([{ leaf: this.#leaf, tokens: own.slice(run.length) }])
    return rows!.at(-1)!
  }
}
