import { poolNames, zerosGraph } from '../graph/index.ts'
import { DeviceMemory, elementBytes, IoBinding, Session, Tensor } from '../onnxruntime/index.ts'
import type { DeviceTensor, ElementType } from '../onnxruntime/index.ts'
import type { Region } from './region.ts'

/** Regions whose tensors are kept. A growing text needs another one every few tokens. */
const MOST_REGIONS = 64

/** Slots that are cleared at once: memory is taken as texts need it, and not often. */
const CLEARED_AT_ONCE = 1024

export interface PoolShape {
  layers: number
  slots: number
  /** Elements of a token's key in a layer, and of its value. */
  width: number
  type: ElementType
}

/**
 * The keys and values of every slot: for each layer two tensors [1, slots, width], which stay where they are. Slots are cleared before
 * they are first used: memory that is hidden from a query, but read, must not hold NaN.
 */
export class KeyValuePool {
  readonly #shape: PoolShape
  readonly #memory: DeviceMemory
  readonly #clearer: Session
  /** Keys and values of the first layer, of the second, and so on. */
  readonly #tensors: readonly DeviceTensor[]
  readonly #views = new Map<string, readonly DeviceTensor[]>()
  #bound: readonly DeviceTensor[] | undefined
  /** Slots from the first on that have been cleared. */
  #cleared = 0

  private constructor(shape: PoolShape, memory: DeviceMemory, clearer: Session) {
    const { layers, slots, width, type } = shape
    this.#shape = shape
    this.#memory = memory
    this.#clearer = clearer
    this.#tensors = Array.from({ length: 2 * layers }, () => memory.allocate(type, [1, slots, width]))
  }

  /** In the memory that the session's operators work on. @throws OnnxRuntimeError when memory is short */
  static async open(session: Session, shape: PoolShape): Promise<KeyValuePool> {
    const clearer = await Session.open(zerosGraph().model, { device: session.device, threads: 1 })
    return new KeyValuePool(shape, new DeviceMemory(session), clearer)
  }

  /**
   * Binds the whole pool or a region of it as input and output at once, so that ScatterND writes in place.
   * @param binding the same at every call
   * @param end all slots that the run uses come before it
   */
  bind(binding: IoBinding, region: Region | undefined, end: number): void {
    this.#clear(end)
    const tensors = region ? this.#view(region) : this.#tensors
    if (tensors === this.#bound) return
    this.#bound = tensors
    for (let layer = 0; layer < this.#shape.layers; layer++) {
      const { past, present } = poolNames(layer)
      for (const [i, kind] of (['key', 'value'] as const).entries()) {
        binding.bindInput(past[kind], tensors[2 * layer + i]!)
        binding.bindOutput(present[kind], tensors[2 * layer + i]!)
      }
    }
  }

  /** ONNX Runtime's names of the memories that it lies in. */
  get memories(): string[] {
    return [...new Set(this.#tensors.map(({ memory }) => memory))]
  }

  /** To be called before the session is closed. */
  close(): void {
    this.#closeViews()
    for (const tensor of this.#tensors) tensor.close()
    this.#memory.close()
    this.#clearer.close()
  }

  #view({ from, count }: Region): readonly DeviceTensor[] {
    const key = `${from} ${count}`
    let views = this.#views.get(key)
    if (!views) {
      const { width, type } = this.#shape
      if (this.#views.size === MOST_REGIONS) this.#closeViews()
      views = this.#tensors.map((tensor) => this.#memory.view(tensor, type, [1, count, width], from * width))
      this.#views.set(key, views)
    }
    return views
  }

  #closeViews(): void {
    for (const views of this.#views.values()) for (const view of views) view.close()
    this.#views.clear()
  }

  #clear(end: number): void {
    if (end <= this.#cleared) return
    const { slots, width, type } = this.#shape
    const next = Math.min(Math.ceil(end / CLEARED_AT_ONCE) * CLEARED_AT_ONCE, slots)
    const words = (width * elementBytes[type]) / elementBytes.int32
    const count = (next - this.#cleared) * words
    using shape = new Tensor('int64', Int32Array.of(count, 0), [1])
    using binding = new IoBinding(this.#clearer)
    binding.bindInput('shape', shape)
    for (const tensor of this.#tensors) {
      using view = this.#memory.view(tensor, 'int32', [count], this.#cleared * words)
      binding.bindOutput('zeros', view)
      this.#clearer.run(binding)
    }
    this.#cleared = next
  }
}
