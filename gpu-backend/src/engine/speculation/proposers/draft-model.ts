import type { Scores } from '../../../model/index.ts'
import type { Batcher } from '../../batching/batcher.ts'
import type { ModelRunner } from '../../model-runner.ts'
import { sample } from '../../sampling/distribution.ts'
import type { Distribution } from '../../sampling/distribution.ts'
import type { Random } from '../../sampling/random.ts'
import type { Guess } from '../accept.ts'
import { SharedVocabulary } from '../../text/shared-vocabulary.ts'
import { NoRoom } from '../../memory/slot-queue.ts'
import { Tree } from '../../decode/tree.ts'
import type { Leaf, TreeOptions } from '../../decode/tree.ts'
import type { MeasuredForwards } from '../costs.ts'
import type { Proposer } from './proposer.ts'

export interface DraftModelOptions {
  /** Has the target's tokenizer. */
  decoder: ModelRunner
  /** Size of the target's. */
  vocabulary: number
  /** What a token is drawn from, of the scores after `text`. */
  distribution: (scores: Scores, text: readonly number[]) => Distribution
  /** Not the target's: guesses must be independent of what judges them. */
  random: Random
  /** Is told how long guesses took, by the texts that the draft wrote in at that time. */
  guesses: MeasuredForwards
  /** Whose forwards wait for the guesses, so that texts guess at the same time and share forwards of both models. */
  target: Batcher
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
  readonly #vocabulary: SharedVocabulary
  #tree: Tree | undefined
  #leaf: Leaf | undefined
  /** Length of the text that was run first. */
  #start = 0
  #failed = false

  constructor(options: DraftModelOptions) {
    this.#options = options
    this.#vocabulary = new SharedVocabulary(options.decoder.model, options.vocabulary)
  }

  /** Whether the model has failed. */
  get silent(): boolean {
    return this.#failed
  }

  async propose(text: readonly number[], most: number): Promise<Guess[]> {
    if (this.#failed) return []
    const { decoder, target, tree } = this.#options
    // Who may have to wait for slots is not waited for: those with the slots may be among those waiting.
    // Nor is a prompt that takes the draft many forwards, or waits for others' there.
    const stands = (this.#tree?.lease.held ?? 0) > 0
    const brief = stands || (text.length <= decoder.batcher.budget && decoder.batcher.waiting === 0)
    const arrived = tree.optional && brief ? target.expect() : undefined
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
    } finally {
      arrived?.()
      this.#tree?.lease.pause()
    }
  }

  close(): void {
    this.#tree?.release()
    this.#tree = undefined
  }

  async #write(text: readonly number[], most: number): Promise<Guess[]> {
    const { decoder, distribution, random, guesses: measured, tree } = this.#options
    const written = [...text]
    const guesses: Guess[] = []
    while (guesses.length < most) {
      // Not beside prompts: a forward of those tells nothing of a guess.
      const started = this.#tree && decoder.batcher.waiting === 0 ? performance.now() : undefined
      const scores = await this.#after(written)
      tree.signal.throwIfAborted()
      const q = distribution(this.#vocabulary.scores(scores), written)
      const token = sample(q, random.next())
      guesses.push({ token, q })
      written.push(token)
      const { running } = decoder.batcher
      if (started !== undefined) measured.took(running, running, performance.now() - started)
    }
    return guesses
  }

  /** The scores after `text`. */
  async #after(text: readonly number[]): Promise<Scores> {
    const { decoder, tree } = this.#options
    if (!this.#tree || !this.#leaf) {
      const reduced = this.#vocabulary.reduced(tree.reduced)
      this.#tree = new Tree(decoder, { ...tree, reduced, most: decoder.capacity - text.length })
      this.#leaf = this.#tree.leaf(0)
      this.#start = text.length
      const [scores] = await this.#tree.prefill(text, [], [0])
      return scores!
    }
    const own = text.slice(this.#start)
    const run = this.#leaf.tokens
    const same = run.findIndex((token, i) => token !== own[i])
    this.#tree.trim(this.#leaf, Math.min(same < 0 ? run.length : same, own.length - 1))
    const [rows] = await this.#tree.advance([{ leaf: this.#leaf, tokens: own.slice(run.length) }])
    return rows!.at(-1)!
  }
}
