import { cudaProblem, type Device } from '../onnxruntime/index.ts'
import { UsageError } from './flags.ts'

export interface ChosenDevice {
  device: Device
  /** Why it is not CUDA, which would have been taken. */
  why?: string
}

/** `auto` is CUDA where it can be used, else the CPU. @throws {UsageError} when CUDA is asked for and cannot be used */
export function chooseDevice(choice: Device | 'auto'): ChosenDevice {
  if (choice === 'cpu') return { device: 'cpu' }
  const problem = cudaProblem()
  if (problem === undefined) return { device: 'cuda' }
  if (choice === 'cuda') throw new UsageError(`--device cuda: CUDA cannot be used: ${problem}`)
  return { device: 'cpu', why: problem }
}
