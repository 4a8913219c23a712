/** What the commands' flags have in common. */
import { Option } from './flags.ts'
import { weightTypes } from './graph/index.ts'
import { devices } from './onnxruntime/index.ts'

/** What was asked for cannot be had, or a variable cannot be meant. The message says which and what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const weightsOption = () =>
  new Option(
    '--weights <type>',
    `how the linear layers are kept and multiplied (default: on the CPU fp32, and fp16 and bf16 are multiplied as fp32, from half the files; on CUDA the checkpoint's own half precision, and int8 and int4 compute in fp16)`,
  ).choices(weightTypes)

export const deviceOption = (what: string) =>
  new Option('--device <device>', what).choices(['auto', ...devices] as const).default('auto' as const)
