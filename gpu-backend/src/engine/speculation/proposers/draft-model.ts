import { logLine, stackOf } from '../../../log.ts'
import type { Scores } from '../../../model/index.ts'
import type { Batcher } from '../../batching/batcher.ts'
import type { ModelRunner } from '../../model-runner.ts'
import type { Distribution } from '../../sampling/distribution.ts'
import type { TokenNoise } from '../../sampling/noise.ts'
import { SpeculationCounts, couplingSampler } from '../accept.ts'
import type { Guess } from '../accept.ts'
import { SharedVocabulary } from '../../text/shared-vocabulary.ts'
import { NoRoom } from '../../memory/slot-queue.ts'
import { Branch, advance } from '../../decode/branch.ts'
import { Tree } from '../../decode/tree.ts'
import type { TreeOptions } from '../../decode/tree.ts'
import type { MeasuredForwards } from '../costs.ts'
import type { Proposer, ProposerKind } from './proposer.ts'

export interface DraftModelOptions {
  /** Has the target's tokenizer. */
  runner: ModelRunner
  /** Size of the target's. */
  vocabulary: number
  /** What a token is drawn from, of the scores after `sequence`. */
  distribution: (scores: Scores, sequence: readonly number[]) => Distribution
  noise: TokenNoise
  /** Is told how long guesses took, by the texts that the draft wrote in at that time. */
  guesses: MeasuredForwards
  /** Its forwards wait for the guesses, so that texts guess at the same time and share the forwards of both models. */
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
  #branch: Branch | undefined
  /** The text that was run first, and what follows it. */
  #prompt: readonly number[] = []
  readonly #written: number[] = []
  /** What the last guess was drawn from. */
  #q: Distribution | undefined
  #failed = false

  constructor(options: DraftModelOptions) {
    this.#options = options
    this.#vocabulary = new SharedVocabulary(options.runner.model, options.vocabulary)
  }

  /** Whether the model has failed. */
  get silent(): boolean {
    return this.#failed
  }

  async propose(sequence: readonly number[], most: number): Promise<Guess[]> {
    if (this.#failed) return []
    const { runner, target, tree } = this.#options
    // Forwards of the target are held back only if drafting cannot block. If it waited for slots, these might be those of a
    // sequence that is held back: neither would ever go on. And a long prompt, or others', takes the draft many forwards.
    const holdsSlots = (this.#tree?.lease.held ?? 0) > 0
    const isBrief = holdsSlots || (sequence.length <= runner.batcher.budget && runner.batcher.waiting === 0)
    const arrived = tree.optional && isBrief ? target.expect() : undefined
    try {
      return await this.#write(sequence, Math.min(most, runner.capacity - sequence.length))
    } catch (error) {
      tree.signal.throwIfAborted()
      if (error instanceof NoRoom) {
        this.close()
        return []
      }
      logLine({ event: 'draft.failed', message: 'the text goes on without token guesses', stack: stackOf(error) })
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
    this.#branch = undefined
  }

  async #write(sequence: readonly number[], most: number): Promise<Guess[]> {
    const { runner, guesses: measured, tree } = this.#options
    const guesses: Guess[] = []
    while (guesses.length < most) {
      // Forwards with prompts in them say nothing of what a guess costs.
      const started = this.#tree && runner.batcher.waiting === 0 ? performance.now() : undefined
      if (guesses.length > 0) await advance(this.#tree!, [this.#branch!])
      else await this.#follow(sequence)
      tree.signal.throwIfAborted()
      guesses.push({ token: this.#written.at(-1)!, q: this.#q })
      const { running } = runner.batcher
      if (started !== undefined) measured.took(running, running, performance.now() - started)
    }
    return guesses
  }

  /** Guesses the token after `sequence`: what of it has been run already is kept. */
  async #follow(sequence: readonly number[]): Promise<void> {
    if (!this.#tree || !this.#branch) return this.#begin(sequence)
    this.#branch.follow(sequence.slice(this.#prompt.length))
    await advance(this.#tree, [this.#branch])
  }

  async #begin(sequence: readonly number[]): Promise<void> {
    const { runner, distribution, noise, tree } = this.#options
    const reduced = this.#vocabulary.reduced(tree.reduced)
    this.#prompt = sequence
    this.#written.length = 0
    this.#tree = new Tree(runner, { ...tree, reduced, most: runner.capacity - sequence.length })
    this.#branch = new Branch({
      tree: this.#tree,
      prefix: 0,
      writer: { tokens: this.#written, ended: false, push: (token) => void this.#written.push(token) },
      position: sequence.length,
      distribution: (scores, written) =>
        (this.#q = distribution(this.#vocabulary.scores(scores), [...sequence, ...written])),
      sampler: couplingSampler(noise),
      counts: new SpeculationCounts(),
    })
    const [scores] = await this.#tree.prefill(sequence, [], [0])
    this.#branch.begin(() => scores!)
  }
}

/** The engine's draft model, for texts that the target writes. */
export const draftModel: ProposerKind = {
  name: 'draft',
  most: ({ draft, runner }, models) => (models.draft && runner === models.target ? draft : 0),
  create: ({ runner, arrival, salt, distribution, reduced, noise, meter, signal }, { draft, guesses }) =>
    new DraftModel({
      runner: draft!,
      tree: { signal, meter, arrival, salt, optional: true, reduced },
      vocabulary: runner.model.config.vocabSize,
      distribution,
      noise,
      guesses,
      target: runner.batcher,
    }),
}
