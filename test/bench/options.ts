import { parseArgs } from 'node:util'
import { modes, verifiers } from '@lookahead/sdk/protocol'
import type { Mode, Verifier } from '@lookahead/sdk'

export interface BenchOptions {
  limit: number
  modes: Mode[]
  depth: number
  /** Whether the depth may fall below `depth` where that pays. */
  adaptive: boolean
  verifier: Verifier
  /** Default: the model's own. */
  temperature: number | undefined
  seed: number
  /** Whether every mode must write what plain decoding writes (verifier `exact`, temperature 0). */
  checkExact: boolean
  json: boolean
}

export const help = `npm run bench -- [flags]

Held-out problems through worker and SDK, every mode on every problem, in turns.

  --limit N              problems (default 20)
  --modes ar,sd,lr,lr+sd modes to compare (default all); speedups are against ar
  --depth N              steps drafted ahead at most (default 8)
  --fixed-depth          always N of them, as in the paper
  --verifier NAME        ${verifiers.join(' or ')} (default judge)
  --temperature T        default: the model's own
  --seed S               default 0
  --check-exact          verifier exact at temperature 0: every mode must write what ar writes
  --json                 results alone on stdout`

/** @throws {TypeError} for a flag that cannot be meant. */
export function readOptions(args: string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      limit: { type: 'string', default: '20' },
      modes: { type: 'string', default: modes.join(',') },
      depth: { type: 'string', default: '8' },
      'fixed-depth': { type: 'boolean', default: false },
      verifier: { type: 'string', default: 'judge' },
      temperature: { type: 'string' },
      seed: { type: 'string', default: '0' },
      'check-exact': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const checkExact = values['check-exact']
  const chosen = values.modes.split(',').map((mode) => oneOf('modes', modes, mode))
  return {
    limit: number('limit', values.limit, 1),
    modes: checkExact ? [...new Set<Mode>(['ar', ...chosen])] : [...new Set(chosen)],
    depth: number('depth', values.depth, 1),
    adaptive: !values['fixed-depth'],
    verifier: checkExact ? 'exact' : oneOf('verifier', verifiers, values.verifier),
    temperature: checkExact ? 0 : values.temperature === undefined ? undefined : Number(values.temperature),
    seed: number('seed', values.seed, 0),
    checkExact,
    json: values.json,
  }
}

export function number(flag: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least) throw new TypeError(`--${flag} takes a whole number from ${least} up`)
  return value
}

export function oneOf<const Name extends string>(flag: string, names: readonly Name[], text: string): Name {
  const name = names.find((candidate) => candidate === text)
  if (name === undefined) throw new TypeError(`--${flag} takes ${names.join(', ')}; not "${text}"`)
  return name
}
