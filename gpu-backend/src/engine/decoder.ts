import type { Model } from '../model/index.ts'
import { Expectation } from './memory/admission.ts'
import { Batcher } from './batching/batcher.ts'
import type { ForwardCounts } from './batching/batcher.ts'
import { PrefixCache, commonLength } from './memory/prefix-cache.ts'
import { SlotQueue } from './memory/slot-queue.ts'
import { SlotPool } from './memory/slot-pool.ts'

/** Of the pool that is made free at once when it runs short: looking for what to evict costs more than evicting it. */
const EVICTED_AT_ONCE = 1 / 32

/** So many tokens that another text is running are waited for. */
const WORTH_WAITING = 32

/** What one model is doing and has done; totals count from the start. */
export interface DecoderStats extends ForwardCounts {
  slots: { total: number; used: number; cached: number; free: number }
  /** Texts that stand in slots; those that wait for slots, and prompts that wait for a forward. */
  running: number
  waiting: number
  /** Prompt tokens looked up in the prefix cache, and found there. */
  prefixQueries: number
  prefixHits: number
  /** Slots taken from the prefix cache for others. */
  evictions: number
  /** Texts that had to give their slots back for a while. */
  preemptions: number
}

/** A model, with the pool of slots that its requests share, the prefixes that stand there, and the batcher they go through. */
export class Decoder {
  readonly model: Model
  readonly pool: SlotPool
  readonly cache: PrefixCache
  readonly batcher: Batcher
  readonly queue: SlotQueue
  readonly expectation = new Expectation()
  /** Tokens of texts that came, and of these the ones that stood in the cache. */
  readonly prefix = { queries: 0, hits: 0 }
  /** Texts that are being run and are not in the cache yet. */
  readonly entering = new Set<readonly number[]>()

  /** @param batchTokens new tokens that a forward may have */
  constructor(model: Model, batchTokens: number) {
    this.model = model
    this.pool = new SlotPool(model.slots)
    this.cache = new PrefixCache(this.pool)
    this.batcher = new Batcher(model, batchTokens)
    this.queue = new SlotQueue(this.pool)
  }

  /** Tokens that a text may have. */
  get capacity(): number {
    return Math.min(this.model.config.maxPositions, this.pool.size)
  }

  /**
   * Another text, of those that are being run right now, that it pays for this one to wait for, until it stands in the cache.
   * @param cached tokens of this text that are there already
   */
  findForerunner(text: readonly number[], cached: number): readonly number[] | undefined {
    for (const other of this.entering) {
      const saved = commonLength(other, text, 0) - cached
      if (saved >= WORTH_WAITING && saved >= (other.length - cached) / 2) return other
    }
    return undefined
  }

  /** Takes slots that are available, making room among the prefixes that nobody uses. */
  take(n: number): number[] {
    const { pool, cache } = this
    if (n > pool.free) cache.evict(Math.max(n - pool.free, pool.size * EVICTED_AT_ONCE))
    const slots = pool.take(n)
    if (!slots) throw new Error(`${n} slots are wanted, and ${pool.free} are free`)
    return slots
  }

  get stats(): DecoderStats {
    const { pool, cache, batcher, queue } = this
    const { size: total, free, available } = pool
    return {
      ...batcher.counts,
      slots: { total, used: total - available, cached: available - free, free },
      running: batcher.running,
      waiting: queue.waiting + batcher.waiting,
      prefixQueries: this.prefix.queries,
      prefixHits: this.prefix.hits,
      evictions: cache.evictions,
      preemptions: queue.preemptions,
    }
  }
}
