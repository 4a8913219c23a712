import path from 'node:path'
import { parseArgs } from 'node:util'
import { weightTypes, type WeightType } from '../graph/index.ts'

/** One setting: a flag, and an environment variable of the same name that the flag overrules. */
interface Flag {
  /** What stands after the flag in the help, for example `PORT`. */
  value: string
  help: string
  default?: string
}

const flags = {
  models: {
    value: 'FOLDER',
    help: 'folder with target/, draft/ and judge/ (Hugging Face layout; default: the demo models)',
  },
  host: { value: 'ADDRESS', help: 'address to listen on', default: '127.0.0.1' },
  port: { value: 'PORT', help: 'port to listen on; 0 takes a free one', default: '8600' },
  slots: { value: 'N', help: 'token slots of each model', default: '16384' },
  threads: { value: 'N', help: 'threads for forwards (default: one per core)' },
  weights: {
    value: 'TYPE',
    help: 'how the linear layers are kept and multiplied: fp32, int8 or int4',
    default: 'fp32',
  },
  token: { value: 'SECRET', help: 'bearer token that callers must show (default: none)' },
  'context-idle': { value: 'SECONDS', help: 'idle contexts are dropped after this time', default: '60' },
} satisfies Record<string, Flag>

type Name = keyof typeof flags

export interface ServeOptions {
  models: string
  host: string
  port: number
  slots: number
  threads: number | undefined
  weights: WeightType
  token: string | undefined
  contextIdleMs: number
}

/** A flag or variable that cannot be meant. The message says which and what to give. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const variable = (name: string): string => `LOOKAHEAD_${name.toUpperCase().replaceAll('-', '_')}`

export const help = `lookahead serve [flags]

Serves draft, target and judge over HTTP.

${(Object.entries(flags) as [Name, Flag][])
  .map(([name, flag]) => {
    const left = `  --${name} ${flag.value}`.padEnd(28)
    return `${left}${flag.help}${flag.default ? ` (default ${flag.default})` : ''}; ${variable(name)}`
  })
  .join('\n')}
  --help                    shows this
`

/** @throws {UsageError} */
export function readFlags(args: string[], env: Record<string, string | undefined>): ServeOptions | 'help' {
  const names = Object.keys(flags) as Name[]
  if (args.includes('--help')) return 'help'
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  let values: { [name: string]: string | boolean | undefined }
  try {
    values = parseArgs({ args, options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const text = (name: Name): string | undefined => {
    const flag: Flag = flags[name]
    return values[name]?.toString() ?? env[variable(name)] ?? flag.default
  }
  const whole = (name: Name, least: number, most: number): number | undefined => {
    const given = text(name)
    if (given === undefined) return undefined
    const number = Number(given)
    if (!Number.isInteger(number) || number < least || number > most)
      throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, not "${given}"`)
    return number
  }
  const weights = weightTypes.find((type) => type === text('weights'))
  if (!weights) throw new UsageError(`--weights must be one of ${weightTypes.join(', ')}, not "${text('weights')}"`)
  return {
    models: text('models') ?? path.join(import.meta.dirname, '../../models'),
    host: text('host')!,
    port: whole('port', 0, 65_535)!,
    slots: whole('slots', 256, 2 ** 24)!,
    threads: whole('threads', 1, 1024),
    weights,
    token: text('token'),
    contextIdleMs: whole('context-idle', 1, 86_400)! * 1000,
  }
}
