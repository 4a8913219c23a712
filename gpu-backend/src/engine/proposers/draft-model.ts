import { wholeLogits } from '../../model/index.ts'
import type { Reduction, Scores } from '../../model/index.ts'
import type { Decoder } from '../decoder.ts'
import { sample } from '../distribution.ts'
import type { Distribution } from '../distribution.ts'
import type { Random } from '../random.ts'
import type { Guess } from '../speculation.ts'
import { Tree } from '../tree.ts'
import type { Leaf } from '../tree.ts'
import type { MeasuredCosts } from './costs.ts'
import type { Proposer } from './proposer.ts'

export interface DraftModelOptions {
  /** Has the target's tokenizer. */
  decoder: Decoder
  /** Tokens the target knows; no others are guessed. */
  vocabulary: number
  /** What a token is drawn from, of the scores after `text`. */
  distribution: (scores: Scores, text: readonly number[]) => Distribution
  /** When `distribution` can do with less than whole logits. Default: never. */
  reduced?: Reduction | undefined
  /** Not the target's: guesses must be independent of what judges them. */
  random: Random
  costs: MeasuredCosts
  signal: AbortSignal
}

/**
 * A small model writes ahead (Leviathan et al., arXiv 2211.17192). Keys and values stay between proposals; those of rejected
 * guesses are given back, and what has not been run, such as the last guess, runs with the next proposal. Texts that propose
 * at the same time share the draft's forwards. When the model fails, nothing more is guessed.
 */
export class DraftModel implements Proposer {
  readonly #options: DraftModelOptions
  /** Whether it knows tokens that the target does not. */
  readonly #larger: boolean
  #tree: Tree | undefined
  #leaf: Leaf | undefined
  /** Length of the text that was run first, and the tokens that were run after it, on the leaf. */
  #start = 0
  #run: number[] = []
  #failed = false

  constructor(options: DraftModelOptions) {
    this.#options = options
    this.#larger = options.decoder.model.config.vocabSize > options.vocabulary
  }

  async propose(text: readonly number[], most: number): Promise<Guess[]> {
    if (this.#failed) return []
    const { decoder, signal } = this.#options
    try {
      return await this.#write(text, Math.min(most, decoder.model.config.maxPositions - text.length))
    } catch (error) {
      signal.throwIfAborted()
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
    const { vocabulary, distribution, random, costs, signal } = this.#options
    const written = [...text]
    const guesses: Guess[] = []
    while (guesses.length < most) {
      const started = this.#tree && performance.now()
      const scores = await this.#after(written)
      signal.throwIfAborted()
      const q = distribution(this.#larger ? wholeLogits(scores).subarray(0, vocabulary) : scores, written)
      const token = sample(q, random.next())
      guesses.push({ token, q })
      written.push(token)
      if (started !== undefined) costs.guessTook(performance.now() - started)
    }
    return guesses
  }

  /** The scores after `text`. */
  async #after(text: readonly number[]): Promise<Scores> {
    const { decoder, signal, reduced } = this.#options
    if (!this.#tree || !this.#leaf) {
      this.#tree = new Tree(decoder, signal, this.#larger ? undefined : reduced)
      this.#leaf = this.#tree.leaf(0)
      this.#start = text.length
      const [scores] = await this.#tree.prefill(text, [], [0])
      return scores!
    }
    const own = text.slice(this.#start)
    const differs = this.#run.findIndex((token, i) => token !== own[i])
    this.#run.splice(differs < 0 ? own.length - 1 : Math.min(differs, own.length - 1))
    this.#tree.trim(this.#leaf, this.#run.length)
    const fresh = own.slice(this.#run.length)
    const [rows] = await this.#tree.advance([{ leaf: this.#leaf, tokens: fresh }])
    this.#run.push(...fresh)
    return rows!.at(-1)!
  }
}
