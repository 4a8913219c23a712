import { listOf, Option, script, some, whole } from '../src/flags.ts'
import { weightTypes, type WeightType } from '../src/graph/index.ts'
import { devices, type Device } from '../src/onnxruntime/index.ts'
import { shapeNames, type Shape } from './shapes.ts'

export const sectionNames = ['operators', 'parity', 'pool', 'speed'] as const
export type SectionName = (typeof sectionNames)[number]

export interface CheckOptions {
  /** Sections of the report, in their order there. */
  only: SectionName[]
  device: Device
  /** Of the random models whose forwards are timed. */
  shapes: Shape[]
  weights: WeightType[]
  /** Timed forwards of each size. */
  rounds: number
  /** Folder in which random models are kept, and found again; their graphs are in the cache. Default: none is kept. */
  keep?: string | undefined
  /** A file for the report, as JSON if its name ends so. */
  out?: string | undefined
  json: boolean
}

export function readOptions(): CheckOptions {
  const { weights, ...flags } = script(
    'gpu:check',
    `Shows on this machine what no machine without a GPU can: that every operator runs on CUDA, that the logits are those of the
CPU, that the pool of keys and values stays on the device; and how fast plain decoding and packed forwards are. The report is
Markdown. The exit code is 1 if a check failed or CUDA cannot be used.`,
  )
    .addOption(
      new Option('--device <device>', 'cpu is to try the command itself').choices(devices).default('cuda' as const),
    )
    .option('--only <a,b>', `of ${sectionNames.join(', ')} (default: all)`, listOf(sectionNames))
    .option(
      '--shapes <a,b>',
      `of ${shapeNames.join(', ')}: what is timed; random weights are written to a temporary folder (TMPDIR; 16 GB for 8b in halves) and removed afterwards (default: 0.5b,1.7b,8b)`,
      listOf(shapeNames),
    )
    .option(
      '--weights <a,b>',
      `of ${weightTypes.join(', ')}: in what is timed (default: bf16 on CUDA, fp32 on the CPU)`,
      listOf(weightTypes),
    )
    .option('--rounds <n>', 'timed forwards of each size', whole(1), 20)
    .option('--keep <folder>', 'random models are kept there, graphs in the cache, and used again', some)
    .option('--out <file>', 'writes the report there as well: as JSON where the name ends with .json', some)
    .option('--json', 'the report as JSON instead of Markdown', false)
    .parse()
    .opts()
  const { device, only = [...sectionNames], shapes = ['0.5b', '1.7b', '8b'] } = flags
  return { ...flags, only, shapes, weights: weights ?? [device === 'cuda' ? 'bf16' : 'fp32'] }
}
