import { parseArgs } from 'node:util'
import { FAMILIES, foreignKinds } from '@lookahead/gpu-backend/dataset'
import type { ForeignKind } from '@lookahead/gpu-backend/dataset'
import { modes } from '@lookahead/sdk/protocol'
import type { Mode } from '@lookahead/sdk'
import { number, oneOf } from './options.ts'

export interface FidelityOptions {
  limit: number
  /** Default: all. */
  families: string[] | undefined
  /** What is foreign in the questions; nothing: those of the test split. */
  foreign: ForeignKind[]
  modes: Mode[]
  /** Sampled runs of plain decoding that tell, with a greedy one, what plain decoding says. */
  plain: number
  depth: number
  seed: number
  leastLogprob: number | 'off' | undefined
  json: boolean
}

export const help = `npm run bench:fidelity -- [flags]

Questions about people, things, colours and units that the models were not trained on, every mode on every question: how
many runs say a word or a number that neither question, solver nor plain decoding has.

  --limit N              problems (default 100)
  --families a,b         of these families only, for example fractions
  --foreign a,b          what is foreign in them: ${foreignKinds.join(', ')} (default all), or none
  --least-logprob N      as the backend's flag; off: without the gate (default: the backend's)
  --modes ar,sd,lr,lr+sd modes to compare (default all)
  --plain N              sampled runs of plain decoding to compare with, beside a greedy one (default 3)
  --depth N              steps drafted ahead (default 8)
  --seed S               default 0
  --json                 results alone on stdout`

const families = FAMILIES.map(({ name }) => name)

/** @throws {TypeError} for a flag that cannot be meant */
export function readOptions(args: string[]): FidelityOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      limit: { type: 'string', default: '100' },
      families: { type: 'string' },
      foreign: { type: 'string', default: foreignKinds.join(',') },
      'least-logprob': { type: 'string' },
      modes: { type: 'string', default: modes.join(',') },
      plain: { type: 'string', default: '3' },
      depth: { type: 'string', default: '8' },
      seed: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    limit: number('limit', values.limit, 1),
    families: values.families?.split(',').map((family) => oneOf('families', families, family)),
    foreign:
      values.foreign === 'none' ? [] : values.foreign.split(',').map((kind) => oneOf('foreign', foreignKinds, kind)),
    leastLogprob: logprob(values['least-logprob']),
    modes: [...new Set(values.modes.split(',').map((mode) => oneOf('modes', modes, mode)))],
    plain: number('plain', values.plain, 0),
    depth: number('depth', values.depth, 1),
    seed: number('seed', values.seed, 0),
    json: values.json,
  }
}

function logprob(text: string | undefined): number | 'off' | undefined {
  if (text === undefined || text === 'off') return text
  const value = Number(text)
  if (!(value <= 0)) throw new TypeError(`--least-logprob takes a number of at most 0, or off; not "${text}"`)
  return value
}
