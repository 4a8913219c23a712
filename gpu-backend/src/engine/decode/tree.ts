import type { Reduction, Scores } from '../../model/index.ts'
import type { Meter } from '../batching/meter.ts'
import { Lease } from '../memory/lease.ts'
import type { LeaseOptions } from '../memory/lease.ts'
import { TokenTree } from '../memory/token-tree.ts'
import type { Leaf, Run } from '../memory/token-tree.ts'
import type { ModelRunner } from '../model-runner.ts'
import { layOut } from './tree-row.ts'
import type { IndexInRow } from './tree-row.ts'

export type { Leaf } from '../memory/token-tree.ts'

/** Tokens to run next on a leaf; scores come back for each. */
export interface Work {
  leaf: Leaf
  tokens: readonly number[]
}

export interface TreeOptions extends Omit<LeaseOptions, 'onHold'> {
  /** When less than whole rows of logits will do. Default: never. */
  reduced?: Reduction | undefined
  /** Is told what its forwards took. */
  meter?: Meter | undefined
}

/**
 * Runs one token tree through its model, for as long as one call works on it: all branches in one packed forward, and nothing
 * is copied. Where slots are short it waits, and now and then runs all again, which nobody notices but by the time it takes.
 * In the end it must be released, unless it was committed.
 */
export class Tree {
  /** Tokens of the text that had been run before. */
  cached = 0
  /** What it took to run the others: until the forward's scores were there, and the part of forwards that was its own. */
  readonly reading = { ms: 0, shareMs: 0 }
  readonly lease: Lease
  readonly #tokens = new TokenTree()
  readonly #runner: ModelRunner
  readonly #signal: AbortSignal | undefined
  readonly #reduced: Reduction | undefined
  readonly #meter: Meter | undefined

  constructor(runner: ModelRunner, { reduced, meter, ...options }: TreeOptions = {}) {
    this.lease = new Lease(this.#tokens, runner.kv, { ...options, onHold: () => runner.batcher.enter() })
    this.#runner = runner
    this.#signal = options.signal
    this.#reduced = reduced
    this.#meter = meter
  }

  /** The drafted tokens. */
  get chain(): readonly number[] {
    return this.#tokens.chain.tokens
  }

  /**
   * Runs what no other request has run of `sequence` before, and the chain after it. To be called once, before all else.
   * @param reduced when less than whole rows of logits will do, if that is not as for the tree's other forwards
   * @param leaves others that are run with them, with the tokens that they have
   * @returns scores after `sequence` and after `wanted` first chain tokens: one for each entry of `wanted`; then those after each token of `leaves`
   * @throws {EngineError} `context_length_exceeded` when the pool is too small; {NoRoom}; the signal's reason
   */
  async prefill(
    sequence: readonly number[],
    chain: readonly number[],
    wanted: readonly number[],
    reduced = this.#reduced,
    leaves: readonly Leaf[] = [],
  ): Promise<Scores[]> {
    const { context, chain: drafted } = this.#tokens
    context.tokens = [...sequence]
    drafted.tokens = [...chain]
    const wantedAt = (at: IndexInRow) => [
      ...wanted.map((n) => at(context, sequence.length - 1 + n)),
      ...leaves.flatMap((leaf) => leaf.tokens.map((_, i) => at(leaf, i))),
    ]
    const [started, shareMs] = [performance.now(), this.#meter?.ms ?? 0]
    const scores = await this.#run([context, drafted, ...leaves], 1 + chain.length, wantedAt, reduced)
    this.cached = this.lease.reused
    // The last one's scores are wanted every time.
    const read = Math.max(0, sequence.length - 1 - this.cached)
    const own = 1 + leaves.reduce((sum, { tokens }) => sum + tokens.length, chain.length)
    const part = read / (read + own)
    this.reading.ms = part * (performance.now() - started)
    // Who reads a meter sets it back, which may be meanwhile.
    this.reading.shareMs = part * Math.max(0, (this.#meter?.ms ?? 0) - shareMs)
    return scores
  }

  /**
   * A branch of its own. Of a tree without a chain the first one's tokens may stay in the prefix cache.
   * @param prefix tokens before it, of the chain or of the leaf that it hangs `on`
   * @param tokens that it begins with. Default: none
   */
  leaf(prefix: number, { tokens = [], on }: { tokens?: readonly number[]; on?: Leaf } = {}): Leaf {
    const leaf: Leaf = { prefix, tokens: [...tokens], slots: [], on }
    this.#tokens.leaves.add(leaf)
    return leaf
  }

  /** Forgets a leaf, and gives its slots back. */
  drop(leaf: Leaf): void {
    this.trim(leaf, 0)
    this.#tokens.leaves.delete(leaf)
  }

  /**
   * Runs the work of all leaves in one packed forward.
   * @returns for each work item, the scores after each of its tokens
   * @throws {EngineError} `context_length_exceeded` when the pool is too small; {NoRoom}; the signal's reason
   */
  async advance(work: readonly Work[]): Promise<Scores[][]> {
    const { context, chain, path } = this.#tokens
    for (const { leaf, tokens } of work) leaf.tokens.push(...tokens)
    const trunks = work.flatMap(({ leaf }) => leaf.on ?? [])
    const runs = [...new Set([context, chain, ...trunks, ...work.map(({ leaf }) => leaf)])]
    const scored = work.find(({ leaf }) => path.includes(leaf))?.tokens.length ?? 0
    const scores = await this.#run(runs, scored, (at) =>
      work.flatMap(({ leaf, tokens }) => tokens.map((_, i) => at(leaf, leaf.tokens.length - tokens.length + i))),
    )
    return work.map((item) => scores.splice(0, item.tokens.length))
  }

  /** Forgets a leaf's last tokens and gives their slots back, keeping the first `length`. */
  trim(leaf: Leaf, length: number): void {
    this.lease.trim(leaf, length)
  }

  /** The chain's first `prefix` tokens and a leaf's become context, for others to share; the tree is released. */
  commit(prefix: number, leaf?: Leaf): void {
    this.lease.commit(prefix, leaf)
  }

  /** Gives back every slot. What was committed may stay in the prefix cache. Further calls do nothing. */
  release(): void {
    this.lease.release()
  }

  /** Runs these runs once there are slots for them. @returns the scores of the tokens that are wanted */
  async #run(
    runs: readonly Run[],
    scored: number,
    wanted: (at: IndexInRow) => number[],
    reduced = this.#reduced,
  ): Promise<Scores[]> {
    const { lease } = this
    try {
      const computed = await lease.acquire(runs, scored)
      const parts = runs.map((run, i) => ({ run, before: this.#tokens.before(run), computed: computed[i]! }))
      const row = { ...layOut(parts, wanted), reduced }
      const options = { urgent: !lease.prefills, signal: this.#signal, meter: this.#meter }
      const [scores] = await this.#runner.batcher.run([row], options)
      lease.ran()
      return scores!
    } catch (error) {
      // Its new slots may hold nothing of use.
      lease.release()
      throw error
    }
  }
}
