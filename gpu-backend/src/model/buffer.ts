import { Tensor, type DeviceMemory, type DeviceTensor, type ElementType } from '../onnxruntime/index.ts'

/** A forward has a few dozen shapes in practice; beyond this many the oldest handles are let go. */
const maxTensors = 256

/**
 * The persistent memory of one input or output whose shape changes from run to run. It grows on demand; a tensor is made
 * once a shape, since making and binding one costs as much as a small operator.
 */
export class ShapedBuffer<Data extends Float32Array | Int32Array> {
  readonly #type: ElementType
  readonly #allocate: (length: number) => Data
  readonly #tensors = new Map<string, Tensor>()
  #data: Data
  #current: Tensor | undefined

  private constructor(type: ElementType, allocate: (length: number) => Data) {
    this.#type = type
    this.#allocate = allocate
    this.#data = allocate(0)
  }

  static float32(): ShapedBuffer<Float32Array> {
    return new ShapedBuffer('float32', (length) => new Float32Array(length))
  }

  static int32(): ShapedBuffer<Int32Array> {
    return new ShapedBuffer('int32', (length) => new Int32Array(length))
  }

  /** Elements lie as pairs of int32, the low half first; write only the low halves. */
  static int64(): ShapedBuffer<Int32Array> {
    return new ShapedBuffer('int64', (length) => new Int32Array(length))
  }

  /** The memory for a tensor of this shape, with whatever the last run left in it. */
  reserve(...shape: number[]): { data: Data; tensor: Tensor } {
    const current = this.#current
    if (current && sameShape(current.shape, shape)) return { data: this.#data, tensor: current }
    const length = shape.reduce((product, size) => product * size, this.#type === 'int64' ? 2 : 1)
    if (length > this.#data.length || this.#tensors.size >= maxTensors) this.close()
    if (length > this.#data.length) this.#data = this.#allocate(2 ** Math.ceil(Math.log2(length)))
    const key = shape.join()
    let tensor = this.#tensors.get(key)
    if (!tensor) this.#tensors.set(key, (tensor = new Tensor(this.#type, this.#data, shape)))
    this.#current = tensor
    return { data: this.#data, tensor }
  }

  /** Releases the native handles; those bound to a session stay valid until another tensor is bound in their place. */
  close(): void {
    for (const tensor of this.#tensors.values()) tensor.close()
    this.#tensors.clear()
    this.#current = undefined
  }
}

/** The persistent memory on the device of float32 rows whose number changes from run to run. It grows on demand. */
export class DeviceRows {
  readonly #memory: DeviceMemory
  readonly #width: number
  readonly #tensors = new Map<number, DeviceTensor>()
  #whole: DeviceTensor | undefined
  #capacity = 0

  constructor(memory: DeviceMemory, width: number) {
    this.#memory = memory
    this.#width = width
  }

  /** The tensor `[rows, width]`, with whatever the last run left in it. @throws OnnxRuntimeError when memory is short */
  reserve(rows: number): DeviceTensor {
    if (!this.#whole || rows > this.#capacity) {
      this.close()
      const capacity = 2 ** Math.ceil(Math.log2(Math.max(rows, 1)))
      this.#whole = this.#memory.allocate('float32', [capacity, this.#width])
      this.#capacity = capacity
    }
    let tensor = this.#tensors.get(rows)
    if (!tensor) {
      tensor = this.#memory.view(this.#whole, 'float32', [rows, this.#width])
      this.#tensors.set(rows, tensor)
    }
    return tensor
  }

  /** To be called before the memory is closed; what is bound to a session must not be run any more. */
  close(): void {
    for (const tensor of this.#tensors.values()) tensor.close()
    this.#tensors.clear()
    this.#whole?.close()
    this.#whole = undefined
  }
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < b.length; i++) if (a[i] !== b[i]) return false
  return true
}
