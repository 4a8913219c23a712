import { zerosGraph } from '../graph/index.ts'
import { cudaProblem, explained, OnnxRuntimeError, Session, type Device } from '../onnxruntime/index.ts'
import { UsageError } from '../usage.ts'

export interface ChosenDevice {
  device: Device
  /** Why it is not CUDA, which would have been taken. */
  why?: string
}

/** `auto` is CUDA where it can be used, else the CPU. @throws {UsageError} when CUDA is asked for and cannot be used */
export async function chooseDevice(choice: Device | 'auto'): Promise<ChosenDevice> {
  if (choice === 'cpu') return { device: 'cpu' }
  const problem = cudaProblem() ?? (await refusal())
  if (problem === undefined) return { device: 'cuda' }
  if (choice === 'cuda') throw new UsageError(`--device cuda: CUDA cannot be used: ${problem}`)
  return { device: 'cpu', why: problem }
}

/** Why CUDA does not take a session, although its libraries load: there may be no device. Undefined where it does. */
async function refusal(): Promise<string | undefined> {
  try {
    const session = await Session.open(zerosGraph().model, { device: 'cuda' })
    session.close()
    return undefined
  } catch (error) {
    if (error instanceof OnnxRuntimeError) return explained(error)
    throw error
  }
}
