import { api, check, created, type Pointer } from './api.ts'
import type { Device, DeviceTensor } from './device.ts'
import type { Tensor } from './tensor.ts'

/**
 * Which tensors a session's inputs and outputs use. Binding a name again replaces its tensor. A device with memory of its
 * own copies a host's tensor when it is bound, not when the session runs: bind it again whenever its data have changed.
 */
export class IoBinding {
  readonly pointer: Pointer
  readonly #copiesInputs: boolean
  readonly #inputs = new Map<string, Tensor | DeviceTensor>()
  readonly #outputs = new Map<string, Tensor | DeviceTensor>()
  #open = true

  /** @param session that it belongs to */
  constructor(session: { pointer: Pointer; device: Device }) {
    this.#copiesInputs = session.device !== 'cpu'
    this.pointer = created((out) => api().createIoBinding(session.pointer, out))
  }

  bindInput(name: string, tensor: Tensor | DeviceTensor): void {
    const copied = this.#copiesInputs && 'data' in tensor
    if (this.#inputs.get(name) === tensor && !copied) return
    check(api().bindInput(this.pointer, name, tensor.pointer))
    this.#inputs.set(name, tensor)
  }

  bindOutput(name: string, tensor: Tensor | DeviceTensor): void {
    if (this.#outputs.get(name) === tensor) return
    check(api().bindOutput(this.pointer, name, tensor.pointer))
    this.#outputs.set(name, tensor)
  }

  /** Bytes of the bound inputs and outputs that lie in the host's memory: what a run sends to a device and back. */
  get hostBytes(): { inputs: number; outputs: number } {
    const sum = (bound: ReadonlyMap<string, Tensor | DeviceTensor>) =>
      [...bound.values()].reduce((bytes, tensor) => bytes + ('data' in tensor ? tensor.bytes : 0), 0)
    return { inputs: sum(this.#inputs), outputs: sum(this.#outputs) }
  }

  /** @throws Error if closed */
  assertOpen(): void {
    if (!this.#open) throw new Error('the binding is closed')
  }

  close(): void {
    if (this.#open) api().releaseIoBinding(this.pointer)
    this.#open = false
    this.#inputs.clear()
    this.#outputs.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
