import type { Model } from '../model/index.ts'
import { Batcher } from './batching/batcher.ts'
import type { ForwardCounts } from './batching/batcher.ts'
import { KVCache } from './memory/kv-cache.ts'
import type { KVCacheStats } from './memory/kv-cache.ts'

/** What one model is doing and has done; totals count from the start. */
export interface RunnerStats extends ForwardCounts, KVCacheStats {
  /** Sequences that hold slots; those that wait for slots, and prompts that wait for a forward. */
  running: number
  waiting: number
}

/** A model, the keys and values of all that it runs, and the batcher that packs its requests into common forwards. */
export class ModelRunner {
  readonly model: Model
  readonly kv: KVCache
  readonly batcher: Batcher
  /** Steps that are being drafted. */
  #drafting = 0

  /** @param batchTokens new tokens that a forward may have */
  constructor(model: Model, batchTokens: number) {
    this.model = model
    this.kv = new KVCache(model.slots)
    this.batcher = new Batcher(model, batchTokens)
  }

  /** Whether a step is being drafted. */
  get isDrafting(): boolean {
    return this.#drafting > 0
  }

  /** A step is being drafted, until what this returns is disposed of. */
  beginDrafting(): Disposable {
    this.#drafting++
    return { [Symbol.dispose]: () => void this.#drafting-- }
  }

  /** Tokens that a text may have. */
  get capacity(): number {
    return Math.min(this.model.config.maxPositions, this.model.slots)
  }

  get stats(): RunnerStats {
    const { batcher, kv } = this
    return {
      ...batcher.counts,
      ...kv.stats,
      running: batcher.running,
      waiting: kv.queue.waiting + batcher.waiting,
    }
  }
}
