import { api, created, type Pointer } from './api.ts'

/** Element types by ONNX's numbers (TensorProto.DataType, equal to ONNXTensorElementDataType for these). */
export const elementTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10, bfloat16: 16 } as const
export type ElementType = keyof typeof elementTypes

export const elementBytes = {
  float32: 4,
  uint8: 1,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  bfloat16: 2,
} as const satisfies Record<ElementType, number>

let cpuMemory: Pointer | undefined

/**
 * A tensor in the memory of a typed array. The native side sees that memory, so the tensor keeps the array alive, and a
 * binding keeps the tensor: hold the binding while a run may use it.
 */
export class Tensor {
  readonly type: ElementType
  readonly data: Float32Array | Int32Array
  readonly shape: readonly number[]
  /** Of the shape, not of `data`. */
  readonly bytes: number
  readonly pointer: Pointer
  #open = true

  /**
   * @param data row-major; int64 elements lie as pairs of int32, the low half first. May be longer than the shape needs.
   * @throws RangeError if `data` is shorter than the shape needs
   */
  constructor(type: ElementType, data: Float32Array | Int32Array, shape: readonly number[]) {
    const bytes = shape.reduce((product, size) => product * size, elementBytes[type])
    if (bytes > data.byteLength)
      throw new RangeError(`a ${type} tensor [${shape.join()}] needs ${bytes} bytes, not ${data.byteLength}`)
    cpuMemory ??= created((out) => api().createCpuMemoryInfo(1, 0, out))
    const dims = BigInt64Array.from(shape, BigInt)
    const memory = cpuMemory
    this.type = type
    this.data = data
    this.shape = shape
    this.bytes = bytes
    this.pointer = created((out) =>
      api().createTensorWithData(memory, data, bytes, dims, dims.length, elementTypes[type], out),
    )
  }

  /** Releases the native handle, not the array. No run may use the tensor any more. */
  close(): void {
    if (this.#open) api().releaseValue(this.pointer)
    this.#open = false
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
