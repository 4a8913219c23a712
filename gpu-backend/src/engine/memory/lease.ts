import { EngineError } from '../errors.ts'
import type { KVCache } from './kv-cache.ts'
import { Priority } from './priority.ts'
import type { PreemptibleSequence } from './slot-queue.ts'
import { sum, uncomputed } from './token-tree.ts'
import type { Leaf, Run, TokenTree } from './token-tree.ts'

export interface LeaseOptions {
  /** Ends waiting. */
  signal?: AbortSignal | undefined
  /** Tokens that leaves will have at most, all together. Default 0. */
  most?: number
  /** When the request arrived that the sequence belongs to. Default: it is a request of its own, and arrives now. */
  arrival?: number
  /** The sequence can be done without: it throws `NoRoom` instead of waiting for slots, and yields to all others. Default false. */
  optional?: boolean
  /** Prefixes are shared with those of the same salt. Default: ''. */
  salt?: string | undefined
  /** Whether what it finds in the prefix cache counts, when it is first given slots. Default true. */
  counted?: boolean
  /** Called whenever it is given slots after it had none. What it returns is called when it has none any more. */
  onHold?: () => () => void
}

/** What the next forward runs. */
interface Demand {
  runs: readonly Run[]
  /** Tokens at the end of the path that are run in any case, for their logits. */
  scored: number
}

/**
 * The slots of one token tree. `acquire` waits until there are enough. Between two forwards an older request may take them all
 * away; the next `acquire` then asks for all tokens again, and those that the prefix cache has lost by then are run again.
 */
export class Lease implements PreemptibleSequence {
  readonly priority: Priority
  /** A forward works with its slots: they cannot be taken away now. */
  busy = false
  /** Whether the forward under way runs the context anew. */
  prefills = false
  /** Tokens that stood in the prefix cache when it was last given slots. */
  reused = 0
  readonly tree: TokenTree
  readonly #kv: KVCache
  readonly #options: LeaseOptions
  #counts: boolean
  #demand: Demand | undefined
  /** For each run of the forward under way: how many of its tokens stood in slots before. */
  #computed: readonly number[] = []
  /** Set as long as it holds slots. */
  #unhold: (() => void) | undefined
  /** The context of a request that is prefilling our prefix: we wait for it. */
  #awaitedPrefill: readonly number[] | undefined
  /** Slots that others used too when we were given them: giving them back would not free them. */
  #shared = 0

  constructor(tree: TokenTree, kv: KVCache, options: LeaseOptions = {}) {
    const { optional, arrival, counted = true } = options
    this.tree = tree
    this.#kv = kv
    this.#options = options
    this.#counts = counted
    this.priority = new Priority(optional, arrival)
  }

  /**
   * Takes slots for all tokens of the runs, once there are enough.
   * @param scored tokens at the end of the path that are run in any case, for their logits
   * @returns of each run, how many of its tokens need not be run
   * @throws {EngineError} `context_length_exceeded` when the pool is too small; {NoRoom}; the signal's reason
   */
  async acquire(runs: readonly Run[], scored: number): Promise<readonly number[]> {
    const { pool, queue } = this.#kv
    const tokens = sum(runs.map((run) => run.tokens.length))
    if (tokens > pool.size)
      throw new EngineError(
        'context_length_exceeded',
        `the backend's memory holds ${pool.size} tokens, and this takes ${tokens}: shorten it, or serve with more --memory`,
      )
    this.#demand = { runs, scored }
    this.priority.works()
    if (this.#options.optional) queue.takeNow(this)
    else await queue.wait(this, this.#options.signal)
    return this.#computed
  }

  /** What slots were acquired for has been run: others may share the context. */
  ran(): void {
    const { context } = this.tree
    if (this.prefills) context.slots = this.#kv.prefixes.insert(context.tokens, context.slots, this.#salt)
    this.#rest()
    this.#kv.queue.settle()
  }

  /** Forgets a leaf's last tokens and gives their slots back, keeping the first `length`. */
  trim(leaf: Leaf, length: number): void {
    leaf.tokens.splice(length)
    const slots = leaf.slots.splice(length)
    if (slots.length === 0) return
    this.#kv.pool.give(slots)
    this.#kv.queue.settle()
  }

  /** The chain's first `prefix` tokens and a leaf's become context, which stays in the prefix cache; the rest is given back. */
  commit(prefix: number, leaf?: Leaf): void {
    const { context, chain, written } = this.tree
    this.#kv.lengths.ended(written)
    context.tokens = context.tokens.concat(chain.tokens.slice(0, prefix), leaf?.tokens ?? [])
    context.slots = context.slots.concat(chain.slots.splice(0, prefix), leaf?.slots.splice(0) ?? [])
    context.slots = this.#kv.prefixes.insert(context.tokens.slice(0, context.slots.length), context.slots, this.#salt)
    this.release()
  }

  /** Other branches of the request, which may need its slots, are at work without it now. */
  pause(): void {
    this.priority.pauses()
    this.#kv.queue.settle()
  }

  /** Gives back every slot. What was committed may stay in the prefix cache. Further calls do nothing. */
  release(): void {
    this.#demand = undefined
    this.#giveBack()
    this.#kv.queue.leave(this)
  }

  get rank(): number {
    return this.priority.rank
  }

  get held(): number {
    return this.#holds ? Math.max(1, this.tree.held - this.#shared) : 0
  }

  countNeeded(): number {
    if (!this.#demand) return 0
    const { runs } = this.#demand
    if (this.#holds) return sum(runs.map(uncomputed))
    // A cheap answer: hundreds may wait for the same request, and all are asked whenever slots come back.
    if (this.#awaitedPrefill && this.#kv.prefilling.has(this.#awaitedPrefill)) return 0
    const known = this.#reusable
    const { cached, used } = this.#kv.prefixes.lookUp(known, this.#salt)
    this.#awaitedPrefill = this.#kv.prefillWorthWaiting(known, cached, this.#salt)
    if (this.#awaitedPrefill) return 0
    return sum(runs.map(({ tokens }) => tokens.length)) - used
  }

  get left(): number {
    return this.#kv.lengths.left(this.tree.written, this.#options.most ?? 0)
  }

  take(): void {
    const { runs } = this.#demand!
    if (!this.#holds) this.#begin()
    this.#computed = runs.map((run) => run.slots.length)
    const slots = this.#kv.allocate(sum(runs.map(uncomputed)))
    for (const run of runs) run.slots = run.slots.concat(slots.splice(0, uncomputed(run)))
    this.#demand = undefined
    this.busy = true
  }

  preempt(): void {
    this.#keepInCache()
    this.#giveBack()
    if (this.#demand) this.priority.works()
  }

  get #salt(): string {
    return this.#options.salt ?? ''
  }

  get #holds(): boolean {
    return this.#unhold !== undefined
  }

  /** The tokens that may come from the prefix cache, if it has them: all but those that are run for their logits. */
  get #reusable(): number[] {
    const path = this.tree.path.flatMap((run) => run.tokens)
    return path.slice(0, path.length - (this.#demand?.scored ?? 0))
  }

  /** Begins to hold slots, with those that the prefix cache has for the path. */
  #begin(): void {
    const { prefixes, prefilling } = this.#kv
    const { context, path } = this.tree
    this.prefills = true
    prefilling.set(context.tokens, this.#salt)
    this.#unhold = this.#options.onHold?.() ?? (() => undefined)
    const known = this.#reusable
    this.#shared = prefixes.lookUp(known, this.#salt).used
    const slots = prefixes.match(known, this.#salt)
    this.reused = slots.length
    if (this.#counts) this.#kv.countLookup(known.length, slots.length)
    this.#counts = false
    for (const run of path) run.slots = slots.splice(0, run.tokens.length)
  }

  /** Leaves what was run to the prefix cache, so that going on costs less if it is still there by then. */
  #keepInCache(): void {
    const { path } = this.tree
    const sequence = path.flatMap(({ tokens, slots }) => tokens.slice(0, slots.length))
    const slots = this.#kv.prefixes.insert(
      sequence,
      path.flatMap((run) => run.slots),
      this.#salt,
    )
    for (const run of path) run.slots = slots.splice(0, run.slots.length)
  }

  #giveBack(): void {
    for (const { slots } of this.tree.runs) this.#kv.pool.give(slots.splice(0))
    this.#unhold?.()
    this.#unhold = undefined
    this.#rest()
  }

  /** No forward is under way any more. */
  #rest(): void {
    this.busy = false
    this.priority.rests()
    this.prefills = false
    this.#kv.prefilling.delete(this.tree.context.tokens)
  }
}
