/** What the commands' flags have in common. */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { weightTypes, type WeightType } from './graph/index.ts'
import { devices, type Device } from './onnxruntime/index.ts'

/** A flag or variable that cannot be meant. The message says which and what to give. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** `parseArgs`. @throws {UsageError} for a flag that is not known or lacks its value */
export function parseFlags<const Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  const parsed = parse(config)
  const empty = Object.entries(parsed.values).find(([, value]) => value === '')
  if (empty) throw new UsageError(`--${empty[0]} lacks its value`)
  return parsed
}

function parse<const Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

export const weightsHelp = `${weightTypes.join(', ')}
                            (default: on the CPU fp32, and fp16 and bf16 are multiplied as fp32, from half the files;
                            on CUDA the checkpoint's own half precision, and int8 and int4 compute in fp16)`

/** @throws {UsageError} */
export function readWeights(text: string | undefined): WeightType | undefined {
  const weights = weightTypes.find((type) => type === text)
  if (!weights && text !== undefined)
    throw new UsageError(`--weights must be one of ${weightTypes.join(', ')}, not "${text}"`)
  return weights
}

/** Defaults to `auto`. @throws {UsageError} */
export function readDevice(text = 'auto'): Device | 'auto' {
  const device = (['auto', ...devices] as const).find((name) => name === text)
  if (!device) throw new UsageError(`--device must be auto, ${devices.join(' or ')}, not "${text}"`)
  return device
}
