import { poolNames, zerosGraph } from '../graph/index.ts'
import { DeviceMemory, elementBytes, IoBinding, Session, Tensor } from '../onnxruntime/index.ts'
import type { DeviceTensor, ElementType } from '../onnxruntime/index.ts'
import type { Region } from './region.ts'

/**
 * Regions whose bindings are kept: a growing text needs another one every few tokens, and to bind one takes as long as a small forward. On a
 * device of its own memory a binding also keeps a copy of the inputs of its last run, which are large while a prompt is run.
 */
const MOST_REGIONS = { cpu: 64, cuda: 1 } as const

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
  readonly #session: Session
  readonly #clearer: Session
  readonly #memory: DeviceMemory
  /** Keys and values of the first layer, of the second, and so on. */
  readonly #tensors: readonly DeviceTensor[]
  readonly #whole: IoBinding
  /** In the order of their last use. */
  readonly #regions = new Map<string, IoBinding>()
  /** Slots from the first on that have been cleared. */
  #cleared = 0
  /** All but the bindings. */
  #resources = new DisposableStack()

  private constructor(
    shape: PoolShape,
    session: Session,
    { clearer, memory, tensors }: { clearer: Session; memory: DeviceMemory; tensors: readonly DeviceTensor[] },
  ) {
    this.#shape = shape
    this.#session = session
    this.#clearer = clearer
    this.#memory = memory
    this.#tensors = tensors
    this.#whole = this.#bound(tensors)
  }

  /** In the memory that the session's operators work on. @throws OnnxRuntimeError when memory is short */
  static async open(session: Session, shape: PoolShape): Promise<KeyValuePool> {
    const { layers, slots, width, type } = shape
    const { device } = session
    using resources = new DisposableStack()
    const clearer = resources.use(await Session.open(zerosGraph().model, { device, threads: 1, exactMemory: true }))
    const memory = resources.use(new DeviceMemory(clearer))
    const tensors = Array.from({ length: 2 * layers }, () => resources.use(memory.allocate(type, [1, slots, width])))
    const pool = new KeyValuePool(shape, session, { clearer, memory, tensors })
    pool.#resources = resources.move()
    return pool
  }

  /**
   * A binding of the session in which the whole pool, or a region of it, is input and output at once, so that ScatterND
   * writes in place. Other inputs and outputs may be those of its last run.
   *
   * @param end all slots that the run uses come before it
   */
  binding(region: Region | undefined, end: number): IoBinding {
    this.#clear(end)
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

  /** ONNX Runtime's names of the memories that it lies in. */
  get memories(): string[] {
    return [...new Set(this.#tensors.map(({ memory }) => memory))]
  }

  /** To be called before the session is closed. */
  close(): void {
    for (const binding of [this.#whole, ...this.#regions.values()]) binding.close()
    this.#resources.dispose()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #bindRegion({ from, count }: Region): IoBinding {
    const { width, type } = this.#shape
    const views = this.#tensors.map((tensor) => this.#memory.view(tensor, type, [1, count, width], from * width))
    const binding = this.#bound(views)
    for (const view of views) view.close()
    return binding
  }

  #bound(tensors: readonly DeviceTensor[]): IoBinding {
    const binding = new IoBinding(this.#session)
    for (let layer = 0; layer < this.#shape.layers; layer++) {
      const { past, present } = poolNames(layer)
      for (const [i, kind] of (['key', 'value'] as const).entries()) {
        const tensor = tensors[2 * layer + i]!
        binding.bindInput(past[kind], tensor)
        binding.bindOutput(present[kind], tensor)
      }
    }
    return binding
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
