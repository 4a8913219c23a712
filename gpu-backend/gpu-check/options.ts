import { weightTypes, type WeightType } from '../src/graph/index.ts'
import { devices, type Device } from '../src/onnxruntime/index.ts'
import { UsageError, parseFlags } from '../src/usage.ts'
import { shapeNames, type Shape } from './shapes.ts'

export interface CheckOptions {
  device: Device
  /** Of the random models whose forwards are timed. */
  shapes: Shape[]
  weights: WeightType[]
  /** Timed forwards of each size. */
  rounds: number
  /** A file for the report. */
  out: string | undefined
  json: boolean
}

export const help = `npm run gpu:check -- [flags]

Shows on this machine what no machine without a GPU can: that every operator runs on CUDA, that the logits are those of the
CPU, that the pool of keys and values stays on the device; and how fast plain decoding and packed forwards are. The report is
Markdown. The exit code is 1 if a check failed or CUDA cannot be used.

  --device DEVICE  cuda, or cpu to try the command itself (default cuda)
  --shapes a,b     of ${shapeNames.join(', ')}: what is timed (default 0.5b,1.7b,8b). Random weights are written to a
                   temporary folder (TMPDIR; 16 GB for 8b in halves) and removed afterwards
  --weights a,b    of ${weightTypes.join(', ')}: in what is timed (default: bf16 on CUDA, fp32 on the CPU)
  --rounds N       timed forwards of each size (default 20)
  --out FILE       writes the report there as well
  --json           the report as JSON instead of Markdown
  --help           shows this
`

/** @throws {UsageError} for a flag that cannot be meant */
export function readOptions(args: string[]): CheckOptions | 'help' {
  const { values } = parsed(args)
  if (values.help) return 'help'
  const device = oneOf('device', devices, values.device)
  const weights = values.weights ?? (device === 'cuda' ? 'bf16' : 'fp32')
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError('--rounds takes a whole number from 1 up')
  return {
    device,
    shapes: values.shapes.split(',').map((name) => oneOf('shapes', shapeNames, name)),
    weights: weights.split(',').map((name) => oneOf('weights', weightTypes, name)),
    rounds,
    out: values.out,
    json: values.json,
  }
}

function parsed(args: string[]) {
  return parseFlags({
    args,
    options: {
      device: { type: 'string', default: 'cuda' },
      shapes: { type: 'string', default: '0.5b,1.7b,8b' },
      weights: { type: 'string' },
      rounds: { type: 'string', default: '20' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
}

function oneOf<const Name extends string>(flag: string, names: readonly Name[], text: string): Name {
  const name = names.find((candidate) => candidate === text)
  if (name === undefined) throw new UsageError(`--${flag} takes ${names.join(', ')}; not "${text}"`)
  return name
}
