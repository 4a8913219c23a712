/**
 * The prefixes that a model expands at once, as token slots: the context, then a chain of drafted tokens, then for each
 * branch its own tokens. Branch `b` sees the context, `b.prefix` tokens of the chain, and itself; nothing is copied.
 */
import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Reduction, Scores } from '../model/index.ts'
import { Age } from './age.ts'
import type { Decoder } from './decoder.ts'
import type { Sharer } from './slot-queue.ts'
import { layOut } from './tree-row.ts'
import type { Part, Place, Run } from './tree-row.ts'

export interface Leaf extends Run {
  /** Chain tokens before the leaf's own. */
  readonly prefix: number
}

/** Tokens to run next on a leaf; scores come back for each. */
export interface Work {
  leaf: Leaf
  tokens: readonly number[]
}

export interface TreeOptions {
  /** Drops forwards that have not begun, and ends waiting. */
  signal?: AbortSignal | undefined
  /** Tokens that leaves will have at most, all together. Default 0. */
  most?: number
  /** When the text came that this one belongs to. Default: it is a text of its own, and comes now. */
  came?: number
  /** The text can be done without: it throws `NoRoom` instead of waiting for slots, and is younger than all others. Default false. */
  optional?: boolean
  /** When less than whole rows of logits will do. Default: never. */
  reduced?: Reduction | undefined
}

/** What is to be run next. */
interface Due {
  runs: readonly Run[]
  /** Tokens at the end of the path that are run in any case, for their logits. */
  asked: number
}

/**
 * Expands one text for as long as one call works on it. It waits for slots where there are none, and gives them back where
 * an older text needs them: then all is run again before the next work, which nobody notices but by the time it takes.
 * In the end it must be released, unless it was committed.
 */
export class Tree implements Sharer {
  readonly context: Run = { tokens: [], slots: [] }
  readonly chain: Run = { tokens: [], slots: [] }
  readonly age: Age
  /** Tokens of the text that had been run before. */
  cached = 0
  busy = false
  readonly #decoder: Decoder
  readonly #signal: AbortSignal | undefined
  readonly #most: number
  readonly #optional: boolean
  readonly #reduced: Reduction | undefined
  readonly #leaves = new Set<Leaf>()
  #due: Due | undefined
  /** Set as long as the text stands in slots. */
  #leave: (() => void) | undefined
  /** Whether it has come to stand in slots with the forward under way. */
  #entering = false
  /** Slots of it that others used when it last entered. */
  #shared = 0
  /** Tokens that stood in the prefix cache then. */
  #found = 0
  /** What the forward under way runs. */
  #parts: readonly Part[] = []

  constructor(decoder: Decoder, { signal, most = 0, came, optional = false, reduced }: TreeOptions = {}) {
    this.#decoder = decoder
    this.#signal = signal
    this.#most = most
    this.#optional = optional
    this.#reduced = reduced
    this.age = new Age(optional, came)
  }

  /**
   * Runs what no other text has run of `text` before, and the chain after it. To be called once, before all else.
   * @returns scores after `text` and after `wanted` first chain tokens: one for each entry of `wanted`
   * @throws {ProtocolError} 400 `context_length_exceeded` when the pool is too small; {NoRoom}; the signal's reason
   */
  async prefill(text: readonly number[], chain: readonly number[], wanted: readonly number[]): Promise<Scores[]> {
    const { context } = this
    context.tokens = [...text]
    this.chain.tokens = [...chain]
    const scores = await this.#run({ runs: [context, this.chain], asked: 1 + chain.length }, (place) =>
      wanted.map((n) => place(context, text.length - 1 + n)),
    )
    this.cached = this.#found
    return scores
  }

  leaf(prefix: number): Leaf {
    const leaf: Leaf = { prefix, tokens: [], slots: [] }
    this.#leaves.add(leaf)
    return leaf
  }

  /**
   * Runs the work of all leaves in one packed forward.
   * @returns for each work item, the scores after each of its tokens
   * @throws {ProtocolError} 400 `context_length_exceeded` when the pool is too small; {NoRoom}; the signal's reason
   */
  async advance(work: readonly Work[]): Promise<Scores[][]> {
    for (const { leaf, tokens } of work) leaf.tokens.push(...tokens)
    const runs = [this.context, this.chain, ...work.map(({ leaf }) => leaf)]
    const asked = sum(work.map(({ leaf, tokens }) => (this.#path.includes(leaf) ? tokens.length : 0)))
    const scores = await this.#run({ runs, asked }, (place) =>
      work.flatMap(({ leaf, tokens }) => tokens.map((_, i) => place(leaf, leaf.tokens.length - tokens.length + i))),
    )
    return work.map((item) => scores.splice(0, item.tokens.length))
  }

  /** Forgets a leaf's last tokens and gives their slots back, keeping the first `length`. */
  trim(leaf: Leaf, length: number): void {
    leaf.tokens.splice(length)
    const slots = leaf.slots.splice(length)
    if (slots.length === 0) return
    this.#decoder.pool.give(slots)
    this.#decoder.queue.settle()
  }

  /** The chain's first `prefix` tokens and a leaf's become context, for others to share; the tree is released. */
  commit(prefix: number, leaf?: Leaf): void {
    const { context, chain } = this
    this.#decoder.expectation.ended(this.#written)
    context.tokens = context.tokens.concat(chain.tokens.slice(0, prefix), leaf?.tokens ?? [])
    context.slots = context.slots.concat(chain.slots.splice(0, prefix), leaf?.slots.splice(0) ?? [])
    context.slots = this.#decoder.cache.insert(context.tokens.slice(0, context.slots.length), context.slots)
    this.release()
  }

  /** For a part of a text: the others, which may need its slots, are at work without it now. */
  pause(): void {
    this.age.pauses()
    this.#decoder.queue.settle()
  }

  /** Gives back every slot. What was committed may stay in the prefix cache. Further calls do nothing. */
  release(): void {
    this.#due = undefined
    this.#giveBack()
    this.#decoder.queue.leave(this)
  }

  get arrival(): number {
    return this.age.arrival
  }

  get held(): number {
    return this.#standing ? Math.max(1, sum(this.#all.map(({ slots }) => slots.length)) - this.#shared) : 0
  }

  get needs(): number {
    if (!this.#due) return 0
    const { runs } = this.#due
    if (this.#standing) return sum(runs.map(unrun))
    const known = this.#known
    const { cached, used } = this.#decoder.cache.lookUp(known)
    if (this.#decoder.isBeingRun(known, cached)) return 0
    return sum(runs.map(({ tokens }) => tokens.length)) - used
  }

  get left(): number {
    return this.#decoder.expectation.left(this.#written, this.#most)
  }

  take(): void {
    const { runs } = this.#due!
    if (!this.#standing) {
      this.#entering = true
      this.#decoder.entering.add(this.context.tokens)
      this.#leave = this.#decoder.batcher.enter()
      const known = this.#known
      this.#shared = this.#decoder.cache.lookUp(known).used
      const slots = this.#decoder.cache.match(known)
      this.#found = slots.length
      for (const run of this.#path) run.slots = slots.splice(0, run.tokens.length)
    }
    this.#parts = runs.map((run) => ({ run, before: this.#tokensBefore(run), standing: run.slots.length }))
    const slots = this.#decoder.take(sum(runs.map(unrun)))
    for (const run of runs) run.slots = run.slots.concat(slots.splice(0, unrun(run)))
    this.#due = undefined
    this.busy = true
  }

  preempt(): void {
    this.#remember()
    this.#giveBack()
    if (this.#due) this.age.works()
  }

  get #standing(): boolean {
    return this.#leave !== undefined
  }

  get #all(): Run[] {
    return [this.context, this.chain, ...this.#leaves]
  }

  /** The text that the prefix cache may keep: the context and what follows it, the chain or else the only leaf. */
  get #path(): Run[] {
    const [leaf] = this.#leaves
    return [this.context, this.chain.tokens.length > 0 || !leaf ? this.chain : leaf]
  }

  /** What may be taken from the prefix cache, as far as it is there. */
  get #known(): number[] {
    const path = this.#path.flatMap((run) => run.tokens)
    return path.slice(0, path.length - (this.#due?.asked ?? 0))
  }

  get #written(): number {
    return sum([...this.#leaves].map(({ tokens }) => tokens.length))
  }

  /** What was run is often found again. */
  #remember(): void {
    const path = this.#path
    const text = path.flatMap(({ tokens, slots }) => tokens.slice(0, slots.length))
    const slots = this.#decoder.cache.insert(
      text,
      path.flatMap((run) => run.slots),
    )
    for (const run of path) run.slots = slots.splice(0, run.slots.length)
  }

  #giveBack(): void {
    for (const { slots } of this.#all) this.#decoder.pool.give(slots.splice(0))
    this.#leave?.()
    this.#leave = undefined
    this.#rest()
  }

  /** No forward is under way any more. */
  #rest(): void {
    this.busy = false
    this.age.rests()
    this.#entering = false
    this.#decoder.entering.delete(this.context.tokens)
  }

  /** Runs what is due once there are slots for it. @returns the scores of the tokens at the places wanted */
  async #run(due: Due, wanted: (place: Place) => number[]): Promise<Scores[]> {
    const { batcher, cache, queue } = this.#decoder
    try {
      await this.#claim(due)
      const row = { ...layOut(this.#parts, wanted), reduced: this.#reduced }
      const [scores] = await batcher.run([row], { urgent: !this.#entering, signal: this.#signal })
      if (this.#entering) this.context.slots = cache.insert(this.context.tokens, this.context.slots)
      this.#rest()
      queue.settle()
      return scores!
    } catch (error) {
      // Its new slots may hold nothing of use.
      this.release()
      throw error
    }
  }

  async #claim(due: Due): Promise<void> {
    const { pool, queue } = this.#decoder
    const tokens = sum(due.runs.map((run) => run.tokens.length))
    if (tokens > pool.size)
      throw new ProtocolError(
        400,
        'context_length_exceeded',
        `the backend's memory holds ${pool.size} tokens, and this takes ${tokens}: shorten it, or serve with more --memory`,
      )
    this.#due = due
    this.age.works()
    if (this.#optional) queue.takeNow(this)
    else await queue.wait(this, this.#signal)
  }

  #tokensBefore(run: Run): number {
    if (run === this.context) return 0
    return this.context.tokens.length + (isLeaf(run) ? run.prefix : 0)
  }
}

const isLeaf = (run: Run): run is Leaf => 'prefix' in run
const unrun = ({ tokens, slots }: Run): number => tokens.length - slots.length
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
