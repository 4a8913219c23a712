import { ProtocolError } from '@lookahead/sdk/protocol'
import { Age } from './priority.ts'
import type { Decoder } from '../decoder.ts'
import type { Sharer } from './slot-queue.ts'
import type { Part, Run } from '../decode/tree-row.ts'

export interface Leaf extends Run {
  /** Chain tokens before the leaf's own. */
  readonly prefix: number
}

export interface TenancyOptions {
  /** Ends waiting. */
  signal?: AbortSignal | undefined
  /** Tokens that leaves will have at most, all together. Default 0. */
  most?: number
  /** When the text came that this one belongs to. Default: it is a text of its own, and comes now. */
  came?: number
  /** The text can be done without: it throws `NoRoom` instead of waiting for slots, and is younger than all others. Default false. */
  optional?: boolean
  /** Whether what it finds in the prefix cache counts, when it first comes to stand in slots. Default true. */
  counted?: boolean
}

/** What is to be run next. */
export interface Due {
  runs: readonly Run[]
  /** Tokens at the end of the path that are run in any case, for their logits. */
  asked: number
}

/**
 * A text's slots: it waits for them where there are none, and gives them back where an older text needs them. Then all its
 * tokens are run again with what is due next, but for those that stand in the prefix cache.
 */
export class Tenancy implements Sharer {
  readonly context: Run = { tokens: [], slots: [] }
  readonly chain: Run = { tokens: [], slots: [] }
  readonly leaves = new Set<Leaf>()
  readonly age: Age
  busy = false
  /** Tokens that stood in the prefix cache when it last came to stand in slots. */
  found = 0
  readonly #decoder: Decoder
  readonly #signal: AbortSignal | undefined
  readonly #most: number
  readonly #optional: boolean
  #counts: boolean
  #due: Due | undefined
  /** What the forward under way runs. */
  #parts: readonly Part[] = []
  /** Set as long as the text stands in slots. */
  #leave: (() => void) | undefined
  /** Whether it has come to stand in slots with the forward under way. */
  #entering = false
  /** A text that is being run and has this one's beginning. */
  #forerunner: readonly number[] | undefined
  /** Slots of it that others used when it came. */
  #shared = 0

  constructor(decoder: Decoder, { signal, most = 0, came, optional = false, counted = true }: TenancyOptions) {
    this.#decoder = decoder
    this.#signal = signal
    this.#most = most
    this.#optional = optional
    this.#counts = counted
    this.age = new Age(optional, came)
  }

  /**
   * Takes slots for all tokens of the runs, once there are enough.
   * @returns what the next forward has to run
   * @throws {ProtocolError} 400 `context_length_exceeded` when the pool is too small; {NoRoom}; the signal's reason
   */
  async claim(due: Due): Promise<readonly Part[]> {
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
    return this.#parts
  }

  /** Whether the forward under way reads the text anew. */
  get entering(): boolean {
    return this.#entering
  }

  /** What was claimed has been run: others may share the context. */
  ran(): void {
    const { context } = this
    if (this.#entering) context.slots = this.#decoder.cache.insert(context.tokens, context.slots)
    this.#rest()
    this.#decoder.queue.settle()
  }

  /** Gives back the slots of a leaf's tokens but for the first `length`, and forgets these tokens. */
  trim(leaf: Leaf, length: number): void {
    leaf.tokens.splice(length)
    const slots = leaf.slots.splice(length)
    if (slots.length === 0) return
    this.#decoder.pool.give(slots)
    this.#decoder.queue.settle()
  }

  /** The chain's first `prefix` tokens and a leaf's become context, which stays in the prefix cache; the rest is given back. */
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
    // Hundreds of texts may wait for one, and are asked whenever slots come back.
    if (this.#forerunner && this.#decoder.entering.has(this.#forerunner)) return 0
    const known = this.#known
    const { cached, used } = this.#decoder.cache.lookUp(known)
    this.#forerunner = this.#decoder.findForerunner(known, cached)
    if (this.#forerunner) return 0
    return sum(runs.map(({ tokens }) => tokens.length)) - used
  }

  get left(): number {
    return this.#decoder.expectation.left(this.#written, this.#most)
  }

  take(): void {
    const { runs } = this.#due!
    if (!this.#standing) this.#enter()
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
    return [this.context, this.chain, ...this.leaves]
  }

  /** The text that the prefix cache may keep: the context and what follows it, the chain or else the only leaf. */
  get path(): readonly Run[] {
    const [leaf] = this.leaves
    return [this.context, this.chain.tokens.length > 0 || !leaf ? this.chain : leaf]
  }

  /** What may be taken from the prefix cache, as far as it is there. */
  get #known(): number[] {
    const path = this.path.flatMap((run) => run.tokens)
    return path.slice(0, path.length - (this.#due?.asked ?? 0))
  }

  get #written(): number {
    return sum([...this.leaves].map(({ tokens }) => tokens.length))
  }

  /** Comes to stand in slots: those that the prefix cache has of the text. */
  #enter(): void {
    const { batcher, cache, entering, prefix } = this.#decoder
    this.#entering = true
    entering.add(this.context.tokens)
    this.#leave = batcher.enter()
    const known = this.#known
    this.#shared = cache.lookUp(known).used
    const slots = cache.match(known)
    this.found = slots.length
    if (this.#counts) {
      prefix.queries += known.length
      prefix.hits += slots.length
    }
    this.#counts = false
    for (const run of this.path) run.slots = slots.splice(0, run.tokens.length)
  }

  /** What was run is often found again. */
  #remember(): void {
    const { path } = this
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

  #tokensBefore(run: Run): number {
    if (run === this.context) return 0
    return this.context.tokens.length + (isLeaf(run) ? run.prefix : 0)
  }
}

const isLeaf = (run: Run): run is Leaf => 'prefix' in run
const unrun = ({ tokens, slots }: Run): number => tokens.length - slots.length
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
