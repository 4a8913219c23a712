import { ProtocolError } from '@lookahead/sdk/protocol'
import type { Model } from '../model/index.ts'
import { Batcher } from './batcher.ts'
import type { ForwardCounts } from './batcher.ts'
import { PrefixCache } from './prefix-cache.ts'
import { SlotPool } from './slots.ts'

/** Of the pool that is made free at once when it runs short: looking for what to evict costs more than evicting it. */
const EVICTED_AT_ONCE = 1 / 32

/** What one model is doing and has done; totals count from the start. */
export interface DecoderStats extends ForwardCounts {
  slots: { total: number; used: number; cached: number; free: number }
  /** Requests at work, and of these the ones whose prompt waits for a forward. */
  running: number
  waiting: number
  /** Prompt tokens looked up in the prefix cache, and found there. */
  prefixQueries: number
  prefixHits: number
  /** Slots taken from the prefix cache for others. */
  evictions: number
  /** Times that no slots were left. */
  refusals: number
}

/** A model, with the pool of slots that its requests share, the prefixes that stand there, and the batcher they go through. */
export class Decoder {
  readonly model: Model
  readonly pool: SlotPool
  readonly cache: PrefixCache
  readonly batcher: Batcher
  #refusals = 0

  /** @param batchTokens new tokens that a forward may have */
  constructor(model: Model, batchTokens: number) {
    this.model = model
    this.pool = new SlotPool(model.slots)
    this.cache = new PrefixCache(this.pool)
    this.batcher = new Batcher(model, batchTokens)
  }

  /** Takes slots, making room among the prefixes that nobody uses. @throws {ProtocolError} 429 `overloaded` */
  take(n: number): number[] {
    const { pool, cache } = this
    if (n > pool.available) {
      this.#refusals++
      throw new ProtocolError(429, 'overloaded', 'all token slots are in use: try again shortly', { retryAfter: 1 })
    }
    if (n > pool.free) cache.evict(Math.max(n - pool.free, pool.size * EVICTED_AT_ONCE))
    return pool.take(n)!
  }

  get stats(): DecoderStats {
    const { pool, cache, batcher } = this
    const { size: total, free, available } = pool
    return {
      ...batcher.counts,
      slots: { total, used: total - available, cached: available - free, free },
      running: batcher.running,
      waiting: batcher.waiting,
      prefixQueries: cache.queries,
      prefixHits: cache.hits,
      evictions: cache.evictions,
      refusals: this.#refusals,
    }
  }
}
