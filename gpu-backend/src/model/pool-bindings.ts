import { poolNames } from '../graph/index.ts'
import { IoBinding } from '../onnxruntime/index.ts'
import type { DeviceTensor, Session } from '../onnxruntime/index.ts'
import type { KeyValuePool } from './pool.ts'
import type { Region } from './region.ts'

/**
 * Regions whose bindings are kept: a growing text needs another one every few tokens, and to bind one takes as long as a small forward. On a
 * device of its own memory a binding also keeps a copy of the inputs of its last run, which are large while a prompt is run.
 */
const MOST_REGIONS = { cpu: 64, cuda: 1 } as const

/** A session's bindings in which a pool, or a region of it, is input and output at once, so that ScatterND writes in place. */
export class PoolBindings {
  readonly #session: Session
  readonly #pool: KeyValuePool
  readonly #whole: IoBinding
  /** In the order of their last use. */
  readonly #regions = new Map<string, IoBinding>()

  constructor(session: Session, pool: KeyValuePool) {
    this.#session = session
    this.#pool = pool
    this.#whole = this.#bound(pool.tensors)
  }

  /**
   * Other inputs and outputs may be those of its last run.
   * @param region undefined: the whole pool
   * @param end all slots that the run uses come before it
   */
  binding(region: Region | undefined, end: number): IoBinding {
    this.#pool.clearTo(end)
    if (!region) return this.#whole
    const key = `${region.from} ${region.count}`
    const binding = this.#regions.get(key) ?? this.#bindRegion(region)
    this.#regions.delete(key)
    this.#regions.set(key, binding)
    if (this.#regions.size > MOST_REGIONS[this.#session.device]) {
      const [oldest] = this.#regions.keys()
      this.#regions.get(oldest!)!.close()
      this.#regions.delete(oldest!)
    }
    return binding
  }

  /** To be called before the pool and the session are closed. */
  close(): void {
    for (const binding of [this.#whole, ...this.#regions.values()]) binding.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #bindRegion(region: Region): IoBinding {
    const views = this.#pool.views(region)
    const binding = this.#bound(views)
    for (const view of views) view.close()
    return binding
  }

  #bound(tensors: readonly DeviceTensor[]): IoBinding {
    const binding = new IoBinding(this.#session)
    for (let layer = 0; layer < this.#pool.shape.layers; layer++) {
      const { past, present } = poolNames(layer)
      for (const [i, kind] of (['key', 'value'] as const).entries()) {
        const tensor = tensors[2 * layer + i]!
        binding.bindInput(past[kind], tensor)
        binding.bindOutput(present[kind], tensor)
      }
    }
    return binding
  }
}
