import { decimal, listOf, Option, script, some } from '@lookahead/gpu-backend/flags'
import { devices } from '../bench/options.ts'
import { partNames } from './part-names.ts'
import type { PartName } from './part-names.ts'

export const shapeNames = ['0.5b', '1.7b', '8b', 'tiny'] as const

export interface SessionOptions {
  /** Folder of the findings. */
  out: string
  device: (typeof devices)[number]
  /** Of the random models, smallest first; of forced acceptance the last one is the target. */
  shapes: (typeof shapeNames)[number][]
  /** Parts to be made. Default: all. */
  only?: PartName[] | undefined
  /** For all parts together. */
  minutes: number
  /** With torch and transformers, for the comparison. */
  python: string
}

export function readOptions(args: readonly string[] = process.argv.slice(2)): SessionOptions {
  const { shapes = ['0.5b', '1.7b', '8b'], ...flags } = script(
    'gpu:session',
    `Everything that a GPU is wanted for, in one go and a given time: gpu:check, speed at the shapes of real models with transformers beside it,
the shipped models end to end, and the method at published acceptance. What is found is written as it is found. The exit code is 1 if a part failed.`,
  )
    .requiredOption('--out <folder>', 'gets summary.md, summary.json, output.log and runs.jsonl', some)
    .addOption(
      new Option('--device <device>', 'cpu is to try the command itself').choices(devices).default('cuda' as const),
    )
    .option('--shapes <a,b>', `of ${shapeNames.join(', ')} (default: 0.5b,1.7b,8b)`, listOf(shapeNames))
    .option('--only <a,b>', `of ${partNames.join(', ')} (default: all)`, listOf(partNames))
    .option('--minutes <n>', 'for all parts together', decimal(0.05), 8)
    .option('--python <file>', 'that has torch and transformers', some, 'python3')
    .parse(args, { from: 'user' })
    .opts()
  return { ...flags, shapes }
}
