import koffi from 'koffi'
import { LibraryError, libraryPath } from './library.ts'

/** A native address. */
export type Pointer = bigint
/** An OrtStatus: null is success. */
export type Status = Pointer | null
/** Receives one native address. */
export type Out = [Pointer | null]

/** The lowest version of the C API that has every function below. */
const apiVersion = 23

/** Positions in the function table of OrtApi, which only ever grows (onnxruntime_c_api.h), and their C signatures. */
const functions = {
  getErrorMessage: [2, 'const char* GetErrorMessage(void* status)'],
  createSession: [7, 'void* CreateSession(void* env, const char* path, void* options, _Out_ void** session)'],
  createSessionFromArray: [
    8,
    'void* CreateSessionFromArray(void* env, const void* model, size_t size, void* options, _Out_ void** session)',
  ],
  createSessionOptions: [10, 'void* CreateSessionOptions(_Out_ void** options)'],
  enableProfiling: [14, 'void* EnableProfiling(void* options, const char* prefix)'],
  disableMemoryPattern: [17, 'void* DisableMemPattern(void* options)'],
  setIntraOpNumThreads: [24, 'void* SetIntraOpNumThreads(void* options, int threads)'],
  createTensor: [
    48,
    'void* CreateTensorAsOrtValue(void* allocator, const int64_t* shape, size_t rank, int type, _Out_ void** value)',
  ],
  createTensorWithData: [
    49,
    'void* CreateTensorWithDataAsOrtValue(void* memory, void* data, size_t size, const int64_t* shape, size_t rank, int type, _Out_ void** value)',
  ],
  getTensorData: [51, 'void* GetTensorMutableData(void* value, _Out_ void** data)'],
  getTensorMemory: [194, 'void* GetTensorMemoryInfo(const void* value, _Out_ void** memory)'],
  memoryName: [71, 'void* MemoryInfoGetName(void* memory, _Out_ const char** name)'],
  createMemoryInfo: [
    68,
    'void* CreateMemoryInfo(const char* name, int allocator, int device, int kind, _Out_ void** memory)',
  ],
  createCpuMemoryInfo: [69, 'void* CreateCpuMemoryInfo(int allocator, int kind, _Out_ void** memory)'],
  releaseStatus: [93, 'void ReleaseStatus(void* status)'],
  releaseMemoryInfo: [94, 'void ReleaseMemoryInfo(void* memory)'],
  releaseSession: [95, 'void ReleaseSession(void* session)'],
  releaseValue: [96, 'void ReleaseValue(void* value)'],
  releaseSessionOptions: [100, 'void ReleaseSessionOptions(void* options)'],
  createEnv: [
    119,
    'void* CreateEnvWithGlobalThreadPools(int level, const char* id, void* threading, _Out_ void** env)',
  ],
  disablePerSessionThreads: [120, 'void* DisablePerSessionThreads(void* options)'],
  createThreadingOptions: [121, 'void* CreateThreadingOptions(_Out_ void** threading)'],
  releaseThreadingOptions: [122, 'void ReleaseThreadingOptions(void* threading)'],
  registerAllocator: [144, 'void* CreateAndRegisterAllocator(void* env, void* memory, void* arena)'],
  createArena: [156, 'void* CreateArenaCfg(size_t most, int strategy, int first, int waste, _Out_ void** arena)'],
  releaseArena: [157, 'void ReleaseArenaCfg(void* arena)'],
  setSharedThreads: [147, 'void* SetGlobalIntraOpNumThreads(void* threading, int threads)'],
  addSessionConfigEntry: [130, 'void* AddSessionConfigEntry(void* options, const char* key, const char* value)'],
  createAllocator: [131, 'void* CreateAllocator(void* session, void* memory, _Out_ void** allocator)'],
  releaseAllocator: [132, 'void ReleaseAllocator(void* allocator)'],
  runWithBinding: [133, 'void* RunWithBinding(void* session, void* options, void* binding)'],
  createIoBinding: [134, 'void* CreateIoBinding(void* session, _Out_ void** binding)'],
  releaseIoBinding: [135, 'void ReleaseIoBinding(void* binding)'],
  bindInput: [136, 'void* BindInput(void* binding, const char* name, void* value)'],
  bindOutput: [137, 'void* BindOutput(void* binding, const char* name, void* value)'],
  appendCuda: [204, 'void* SessionOptionsAppendExecutionProvider_CUDA_V2(void* options, void* cuda)'],
  createCudaOptions: [205, 'void* CreateCUDAProviderOptions(_Out_ void** cuda)'],
  updateCudaOptions: [
    206,
    'void* UpdateCUDAProviderOptions(void* cuda, const char** keys, const char** values, size_t count)',
  ],
  releaseCudaOptions: [208, 'void ReleaseCUDAProviderOptions(void* cuda)'],
} as const

/** A function that can also run on a thread of libuv's pool, and then reports to the event loop. */
interface Asynchronous<Arguments extends unknown[]> {
  (...args: Arguments): Status
  async(...args: [...Arguments, done: (error: Error | null, status: Status) => void]): void
}

/** The C API in TypeScript's terms. Functions that return a Status own nothing until `check` has seen it. */
export interface Api {
  getErrorMessage(status: Pointer): string
  createEnv(level: number, id: string, threading: Pointer, out: Out): Status
  disablePerSessionThreads(options: Pointer): Status
  registerAllocator(env: Pointer, memory: Pointer, arena: Pointer): Status
  createArena(most: number, strategy: number, first: number, waste: number, out: Out): Status
  releaseArena(arena: Pointer): void
  createThreadingOptions(out: Out): Status
  releaseThreadingOptions(threading: Pointer): void
  setSharedThreads(threading: Pointer, threads: number): Status
  createSession: Asynchronous<[env: Pointer, path: string, options: Pointer, out: Out]>
  createSessionFromArray(env: Pointer, model: Uint8Array, size: number, options: Pointer, out: Out): Status
  createSessionOptions(out: Out): Status
  disableMemoryPattern(options: Pointer): Status
  enableProfiling(options: Pointer, prefix: string): Status
  setIntraOpNumThreads(options: Pointer, threads: number): Status
  createTensor(allocator: Pointer, shape: BigInt64Array, rank: number, type: number, out: Out): Status
  createTensorWithData(
    memory: Pointer,
    data: ArrayBufferView | Pointer,
    size: number,
    shape: BigInt64Array,
    rank: number,
    type: number,
    out: Out,
  ): Status
  getTensorData(value: Pointer, out: Out): Status
  getTensorMemory(value: Pointer, out: Out): Status
  memoryName(memory: Pointer, out: [string | null]): Status
  createMemoryInfo(name: string, allocator: number, device: number, kind: number, out: Out): Status
  createCpuMemoryInfo(allocator: number, kind: number, out: Out): Status
  releaseStatus(status: Pointer): void
  releaseMemoryInfo(memory: Pointer): void
  releaseSession(session: Pointer): void
  releaseValue(value: Pointer): void
  releaseSessionOptions(options: Pointer): void
  addSessionConfigEntry(options: Pointer, key: string, value: string): Status
  createAllocator(session: Pointer, memory: Pointer, out: Out): Status
  releaseAllocator(allocator: Pointer): void
  runWithBinding: Asynchronous<[session: Pointer, options: null, binding: Pointer]>
  createIoBinding(session: Pointer, out: Out): Status
  releaseIoBinding(binding: Pointer): void
  bindInput(binding: Pointer, name: string, value: Pointer): Status
  bindOutput(binding: Pointer, name: string, value: Pointer): Status
  appendCuda(options: Pointer, cuda: Pointer): Status
  createCudaOptions(out: Out): Status
  updateCudaOptions(cuda: Pointer, keys: string[], values: string[], count: number): Status
  releaseCudaOptions(cuda: Pointer): void
}

let loaded: Api | undefined

/** koffi unloads a library whose handle is collected, although functions decoded from addresses still point into it. */
const handles: unknown[] = []

/**
 * ONNX Runtime's C API, loaded at the first call.
 *
 * @throws LibraryError if the library is missing, cannot be loaded, or is older than this code
 */
export function api(): Api {
  return (loaded ??= load(libraryPath()))
}

function load(path: string): Api {
  // ONNX Runtime reports how it is used to its makers, and leaves a log in the temporary folder, unless told otherwise.
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
  const library = opened(path)
  handles.push(library)
  const getApiBase = library.func('void* OrtGetApiBase()')
  const [getApi] = koffi.decode(getApiBase(), koffi.array('void*', 1)) as [Pointer]
  const table = koffi.decode(getApi, koffi.proto('void* GetApi(uint32_t version)'))(apiVersion) as Pointer | null
  if (!table)
    throw new LibraryError(
      `${path} is too old: ONNX Runtime 1.${apiVersion} or later is needed (LOOKAHEAD_ONNXRUNTIME)`,
    )
  const last = Math.max(...Object.values(functions).map(([index]) => index))
  const pointers = koffi.decode(table, koffi.array('void*', last + 1)) as Pointer[]
  const entries = Object.entries(functions).map(([name, [index, signature]]) => [
    name,
    koffi.decode(pointers[index], koffi.proto(signature)),
  ])
  return Object.fromEntries(entries) as Api
}

function opened(path: string): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(path)
  } catch (cause) {
    const reason = (cause as Error).message
    throw new LibraryError(`${path} cannot be loaded: ${reason}; LOOKAHEAD_ONNXRUNTIME names another folder`, { cause })
  }
}

/** An error that ONNX Runtime reported; the message is its own. */
export class OnnxRuntimeError extends Error {
  override readonly name = 'OnnxRuntimeError'

  /** Whether memory was short, of the host or of the device. */
  get outOfMemory(): boolean {
    return /failed to allocate|out of memory|bad[ _]alloc/i.test(this.message)
  }
}

/** @throws OnnxRuntimeError if `status` is not success */
export function check(status: Status): void {
  if (status === null) return
  const message = api().getErrorMessage(status)
  api().releaseStatus(status)
  throw new OnnxRuntimeError(message)
}

/** The object that a creating function of the C API writes to its last argument. */
export function created(create: (out: Out) => Status): Pointer {
  const out: Out = [null]
  check(create(out))
  return out[0]!
}
