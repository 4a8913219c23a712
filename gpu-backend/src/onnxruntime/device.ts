import { existsSync } from 'node:fs'
import { api, check, created, OnnxRuntimeError, type Pointer } from './api.ts'
import { environment } from './environment.ts'
import { cudaLibraryPath } from './library.ts'
import { elementBytes, elementTypes, type ElementType } from './tensor.ts'

/** Where a session's operators run and its pool of token slots lies. */
export const devices = ['cpu', 'cuda'] as const
export type Device = (typeof devices)[number]

/** ONNX Runtime's names of the devices' memory (OrtMemoryInfo). */
export const memoryNames = { cpu: 'Cpu', cuda: 'Cuda' } as const satisfies Record<Device, string>

/** OrtDeviceAllocator and OrtMemTypeDefault. */
const [deviceAllocator, defaultMemory] = [0, 0]

/**
 * Puts CUDA first among a session's execution providers. What CUDA has no kernel for is then an error and not a silent
 * detour over the CPU (`session.disable_cpu_ep_fallback`).
 *
 * @param settings.exactMemory takes memory as large as what is to lie in it: for tensors that stay. Default: in powers of two, since what
 * is taken in exact sizes is not joined again, and as texts grow every forward would need more than the ones before it left.
 * @throws OnnxRuntimeError when the CUDA libraries are missing or cannot be loaded
 */
export function useCuda(options: Pointer, { exactMemory = false } = {}): void {
  environment()
  const cuda = created((out) => api().createCudaOptions(out))
  try {
    const settings = {
      device_id: '0',
      arena_extend_strategy: exactMemory ? 'kSameAsRequested' : 'kNextPowerOfTwo',
      // fp32 means fp32, not products of 10-bit fractions: whoever wants speed takes half precision.
      use_tf32: '0',
    }
    const [keys, values] = [Object.keys(settings), Object.values(settings)]
    check(api().updateCudaOptions(cuda, keys, values, keys.length))
    check(api().appendCuda(options, cuda))
  } finally {
    api().releaseCudaOptions(cuda)
  }
  check(api().addSessionConfigEntry(options, 'session.disable_cpu_ep_fallback', '1'))
  // Weights stay too: they are not to be rounded up either.
  check(api().addSessionConfigEntry(options, 'session.use_device_allocator_for_initializers', '1'))
  // It makes Splits of Slices; CUDA's Split into unequal parts copies tables from the host at every run.
  check(api().addSessionConfigEntry(options, 'optimization.disable_specified_optimizers', 'GatherSliceToSplitFusion'))
}

/** Why CUDA's libraries cannot be used here, and what to do, in one line; undefined where they can. */
export function cudaProblem(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `ONNX Runtime's CUDA libraries exist for Linux on x64 only, not for ${process.platform} on ${process.arch}`
  if (!existsSync(cudaLibraryPath())) return 'its libraries are not installed: `lookahead install-cuda` fetches them'
  const options = created((out) => api().createSessionOptions(out))
  try {
    useCuda(options)
    return undefined
  } catch (error) {
    if (error instanceof OnnxRuntimeError) return explained(error)
    throw error
  } finally {
    api().releaseSessionOptions(options)
  }
}

/** What ONNX Runtime says of CUDA, without its file names and line breaks, and what to do about it. */
export function explained({ message }: OnnxRuntimeError): string {
  const [said = message] = /CUDA failure \d+: [^;]+/.exec(message) ?? message.split(/FAIL : | with error: /).slice(-1)
  const needs = 'an NVIDIA driver, CUDA 12 and cuDNN 9 must be on this machine, and in a container: docs/gpu.md'
  return `${said.replaceAll(/\s+/g, ' ').trim()} (${needs})`
}

/** Memory of the device that a session runs on. Close its tensors first, and close it before the session. */
export class DeviceMemory {
  readonly #allocator: Pointer
  readonly #info: Pointer
  #open = true

  /** @param session whose device it is */
  constructor({ pointer, device }: { pointer: Pointer; device: Device }) {
    this.#info = created((out) => api().createMemoryInfo(memoryNames[device], deviceAllocator, 0, defaultMemory, out))
    try {
      this.#allocator = created((out) => api().createAllocator(pointer, this.#info, out))
    } catch (error) {
      api().releaseMemoryInfo(this.#info)
      throw error
    }
  }

  /** A tensor that no array backs; it holds anything until it is written. @throws OnnxRuntimeError when memory is short */
  allocate(type: ElementType, shape: readonly number[]): DeviceTensor {
    const dims = BigInt64Array.from(shape, BigInt)
    return new DeviceTensor(
      created((out) => api().createTensor(this.#allocator, dims, dims.length, elementTypes[type], out)),
    )
  }

  /**
   * A tensor in another's memory, from the place on that element `first` of this type would have. Close it before the other,
   * which must be large enough.
   */
  view(whole: DeviceTensor, type: ElementType, shape: readonly number[], first = 0): DeviceTensor {
    const data = created((out) => api().getTensorData(whole.pointer, out)) + BigInt(first * elementBytes[type])
    const bytes = shape.reduce((product, size) => product * size, elementBytes[type])
    const dims = BigInt64Array.from(shape, BigInt)
    return new DeviceTensor(
      created((out) => api().createTensorWithData(this.#info, data, bytes, dims, dims.length, elementTypes[type], out)),
    )
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    api().releaseAllocator(this.#allocator)
    api().releaseMemoryInfo(this.#info)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** A tensor that stays on its device: to be bound as input and output, never read. */
export class DeviceTensor {
  readonly pointer: Pointer
  #open = true

  constructor(pointer: Pointer) {
    this.pointer = pointer
  }

  /** ONNX Runtime's name of the memory that it lies in: `Cpu` or `Cuda`. */
  get memory(): string {
    const memory = created((out) => api().getTensorMemory(this.pointer, out))
    const name: [string | null] = [null]
    check(api().memoryName(memory, name))
    return name[0] ?? ''
  }

  /** No run may use the tensor any more. */
  close(): void {
    if (this.#open) api().releaseValue(this.pointer)
    this.#open = false
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
