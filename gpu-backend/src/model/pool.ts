import { zerosGraph } from '../graph/index.ts'
import { DeviceMemory, elementBytes, IoBinding, Session, Tensor } from '../onnxruntime/index.ts'
import type { DeviceTensor, ElementType } from '../onnxruntime/index.ts'
import type { Region } from './region.ts'

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
  readonly shape: PoolShape
  /** Keys and values of the first layer, of the second, and so on. */
  readonly tensors: readonly DeviceTensor[]
  readonly #clearer: Session
  readonly #memory: DeviceMemory
  /** Slots from the first on that have been cleared. */
  #cleared = 0
  #resources = new DisposableStack()

  private constructor(
    shape: PoolShape,
    { clearer, memory, tensors }: { clearer: Session; memory: DeviceMemory; tensors: readonly DeviceTensor[] },
  ) {
    this.shape = shape
    this.tensors = tensors
    this.#clearer = clearer
    this.#memory = memory
  }

  /** In the memory that the session's operators work on. @throws OnnxRuntimeError when memory is short */
  static async open(session: Session, shape: PoolShape): Promise<KeyValuePool> {
    const { layers, slots, width, type } = shape
    const { device } = session
    using resources = new DisposableStack()
    const clearer = resources.use(await Session.open(zerosGraph().model, { device, threads: 1, exactMemory: true }))
    const memory = resources.use(new DeviceMemory(clearer))
    const tensors = Array.from({ length: 2 * layers }, () => resources.use(memory.allocate(type, [1, slots, width])))
    const pool = new KeyValuePool(shape, { clearer, memory, tensors })
    pool.#resources = resources.move()
    return pool
  }

  /** Makes sure that all slots before `end` can be read. */
  clearTo(end: number): void {
    if (end <= this.#cleared) return
    const { slots, width, type } = this.shape
    const next = Math.min(Math.ceil(end / CLEARED_AT_ONCE) * CLEARED_AT_ONCE, slots)
    const words = (width * elementBytes[type]) / elementBytes.int32
    const count = (next - this.#cleared) * words
    using shape = new Tensor('int64', Int32Array.of(count, 0), [1])
    using binding = new IoBinding(this.#clearer)
    binding.bindInput('shape', shape)
    for (const tensor of this.tensors) {
      using view = this.#memory.view(tensor, 'int32', [count], this.#cleared * words)
      binding.bindOutput('zeros', view)
      this.#clearer.run(binding)
    }
    this.#cleared = next
  }

  /** The slots of a region, of every tensor: views, to be closed by whoever asked. */
  views({ from, count }: Region): DeviceTensor[] {
    const { width, type } = this.shape
    return this.tensors.map((tensor) => this.#memory.view(tensor, type, [1, count, width], from * width))
  }

  /** ONNX Runtime's names of the memories that it lies in. */
  get memories(): string[] {
    return [...new Set(this.tensors.map(({ memory }) => memory))]
  }

  /** To be called after its bindings are closed, and before the session is. */
  close(): void {
    this.#resources.dispose()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
