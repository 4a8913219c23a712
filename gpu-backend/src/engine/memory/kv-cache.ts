import { LengthEstimator } from './admission.ts'
import { PrefixCache, commonLength } from './prefix-cache.ts'
import { SlotPool } from './slot-pool.ts'
import { SlotQueue } from './slot-queue.ts'

/** Part of the pool that is made free at once when it runs short: looking for what to evict costs more than evicting it. */
const EVICTED_AT_ONCE = 1 / 32

/** Waiting for another sequence's prefill pays where it saves so many tokens. */
const WORTH_WAITING = 32

export interface KVCacheStats {
  slots: { total: number; used: number; cached: number; free: number }
  /** Prompt tokens looked up in the prefix cache, and found there. */
  prefixQueries: number
  prefixHits: number
  /** Slots taken from the prefix cache for others. */
  evictions: number
  /** Sequences that had to give their slots back for a while. */
  preemptions: number
}

/** The keys and values of one model: its pool of slots, the prefixes that stand there, and those that wait for room. */
export class KVCache {
  readonly pool: SlotPool
  readonly prefixes: PrefixCache
  readonly queue: SlotQueue
  readonly lengths = new LengthEstimator()
  /** Contexts that are being prefilled, and not in the prefix cache yet, with their salts. */
  readonly prefilling = new Map<readonly number[], string>()
  readonly #lookups = { tokens: 0, hits: 0 }

  /** @param size slots */
  constructor(size: number) {
    this.pool = new SlotPool(size)
    this.prefixes = new PrefixCache(this.pool)
    this.queue = new SlotQueue(this.pool)
  }

  /** `n` slots that are available, making room among the prefixes that nobody uses. */
  allocate(n: number): number[] {
    const { pool, prefixes } = this
    if (n > pool.free) prefixes.evict(Math.max(n - pool.free, Math.ceil(pool.size * EVICTED_AT_ONCE)))
    const slots = pool.take(n)
    if (!slots) throw new Error(`${n} slots are wanted, and ${pool.free} are free`)
    return slots
  }

  /**
   * A context that is being prefilled and begins like `sequence`, if waiting for it pays: once prefilled, it stands in the prefix
   * cache. It pays where at least half of what the other still runs is common to both.
   * @param cached tokens of the text that stand in the cache already
   * @param salt which the other must have too
   */
  prefillWorthWaiting(sequence: readonly number[], cached: number, salt: string): readonly number[] | undefined {
    for (const [other, own] of this.prefilling) {
      if (own !== salt) continue
      const saved = commonLength(other, sequence, 0) - cached
      if (saved >= WORTH_WAITING && saved >= (other.length - cached) / 2) return other
    }
    return undefined
  }

  /** Counts a text that came, and how much of it stood in the prefix cache. */
  countLookup(tokens: number, hits: number): void {
    this.#lookups.tokens += tokens
    this.#lookups.hits += hits
  }

  get stats(): KVCacheStats {
    const { size: total, free, available } = this.pool
    return {
      slots: { total, used: total - available, cached: available - free, free },
      prefixQueries: this.#lookups.tokens,
      prefixHits: this.#lookups.hits,
      evictions: this.prefixes.evictions,
      preemptions: this.queue.preemptions,
    }
  }

  /** For tests: nobody uses a slot. @throws {Error} naming the first slot of which that is not true */
  assertIdle(): void {
    this.pool.check([], this.prefixes.slots())
  }
}
