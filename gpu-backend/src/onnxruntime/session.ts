import { api, check, created, type Out, type Pointer, type Status } from './api.ts'
import type { IoBinding } from './binding.ts'
import { useCuda, type Device } from './device.ts'
import { environment } from './environment.ts'

export interface SessionOptions {
  /** Defaults to the CPU. */
  device?: Device | undefined
  /** Memory on CUDA is taken as large as it is asked for: see `useCuda`. Default: false. */
  exactMemory?: boolean
  /** Threads within one operator. Defaults to the pool that sessions share: see `environment`. */
  threads?: number | undefined
  /** Session configuration entries (onnxruntime_session_options_config_keys.h). */
  config?: Record<string, string>
  /** Writes a profile to a file that begins with this prefix. */
  profile?: string | undefined
}

/** A loaded model. One run at a time may use one binding; the session itself may run several at once. */
export class Session {
  readonly pointer: Pointer
  readonly device: Device
  #running = 0
  #open = true

  private constructor(pointer: Pointer, device: Device) {
    this.pointer = pointer
    this.device = device
  }

  /**
   * @param model the path of an .onnx file, which loads on a thread of libuv's pool; or the file's bytes, which load on this
   * thread: meant for small graphs
   * @throws OnnxRuntimeError if ONNX Runtime refuses the model
   */
  static async open(
    model: string | Uint8Array,
    { device = 'cpu', exactMemory, threads, config = {}, profile }: SessionOptions = {},
  ): Promise<Session> {
    const options = created((out) => api().createSessionOptions(out))
    try {
      if (device === 'cuda') useCuda(options, { exactMemory })
      // A session of one thread runs on its caller's alone; one that wants another number than the shared pool has brings its own.
      const shared = environment(threads === 1 ? undefined : threads)
      if (threads === undefined || threads === shared.threads) check(api().disablePerSessionThreads(options))
      else check(api().setIntraOpNumThreads(options, threads))
      // A plan of memory is kept for every new shape of the inputs, for good, and shapes hardly ever come twice.
      check(api().disableMemoryPattern(options))
      check(api().addSessionConfigEntry(options, 'session.use_env_allocators', '1'))
      if (profile !== undefined) check(api().enableProfiling(options, profile))
      for (const [key, value] of Object.entries(config)) check(api().addSessionConfigEntry(options, key, value))
      if (typeof model !== 'string') {
        const create = (out: Out) => api().createSessionFromArray(shared.pointer, model, model.byteLength, options, out)
        return new Session(created(create), device)
      }
      const out: Out = [null]
      const status = await new Promise<Status>((resolve, reject) => {
        api().createSession.async(shared.pointer, model, options, out, (error, result) =>
          error ? reject(error) : resolve(result),
        )
      })
      check(status)
      return new Session(out[0]!, device)
    } finally {
      api().releaseSessionOptions(options)
    }
  }

  /** Runs on the calling thread. */
  run(binding: IoBinding): void {
    check(api().runWithBinding(this.pointer, null, binding.pointer))
  }

  /** Runs on a thread of libuv's pool. The bound tensors must not be read or written until the promise settles. */
  runAsync(binding: IoBinding): Promise<void> {
    this.#running++
    return new Promise<void>((resolve, reject) => {
      api().runWithBinding.async(this.pointer, null, binding.pointer, (error, status) => {
        this.#running--
        try {
          if (error) throw error
          // The callback refers to the binding, so that no bound array can be collected before the run has ended.
          binding.assertOpen()
          check(status)
          resolve()
        } catch (reason) {
          reject(reason)
        }
      })
    })
  }

  /** @throws Error while an asynchronous run is under way */
  close(): void {
    if (this.#running > 0) throw new Error('a session cannot be closed during a run')
    if (this.#open) api().releaseSession(this.pointer)
    this.#open = false
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
