import path from 'node:path'
import { LEAST_LOGPROB } from '../engine/judging/likelihood.ts'
import type { WeightType } from '../graph/index.ts'
import type { Device } from '../onnxruntime/index.ts'
import { UsageError, parseFlags, readDevice, readWeights, weightsHelp } from '../usage.ts'

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
  judge: {
    value: 'WHICH',
    help: "auto: the one in judge/, if there is one; none: only drafted steps equal to the target's own are accepted",
    default: 'auto',
  },
  'least-logprob': {
    value: 'N',
    help: 'no step is accepted by the judge if the target gives a token of it a smaller log-probability; off: any may be',
    default: String(LEAST_LOGPROB),
  },
  host: { value: 'ADDRESS', help: 'address to listen on', default: '127.0.0.1' },
  port: { value: 'PORT', help: 'port to listen on; 0 takes a free one', default: '8600' },
  memory: { value: 'MIB', help: 'memory for the keys and values of all models together', default: '1024' },
  slots: { value: 'N', help: 'token slots of each model (default: as many as --memory holds)' },
  'batch-tokens': { value: 'N', help: 'new tokens that a forward may have', default: '512' },
  'max-queued-requests': {
    value: 'N',
    help: 'while so many wait to begin, others are refused with 429',
    default: '256',
  },
  'max-queued-tokens': { value: 'N', help: 'the same, by the tokens of their prompts', default: '131072' },
  device: {
    value: 'DEVICE',
    help: 'where forwards run: cuda, cpu, or auto (cuda where it can be used)',
    default: 'auto',
  },
  threads: { value: 'N', help: 'threads for forwards (default: one per core)' },
  weights: {
    value: 'TYPE',
    help: `how the linear layers are kept and multiplied: ${weightsHelp}`,
  },
  token: { value: 'SECRET', help: 'bearer token that callers must show (default: none)' },
  'context-idle': { value: 'SECONDS', help: 'idle contexts are dropped after this time', default: '60' },
  drain: { value: 'SECONDS', help: 'running calls may go on this long once asked to stop', default: '10' },
} satisfies Record<string, Flag>

type Name = keyof typeof flags

export interface ServeOptions {
  models: string
  /** Whether the judge is loaded, if there is one. */
  judge: boolean
  /** -Infinity when it is off. */
  leastLogprob: number
  host: string
  port: number
  memory: number
  /** Undefined: as many as `memory` holds. */
  slots: number | undefined
  batchTokens: number
  queue: { requests: number; tokens: number }
  device: Device | 'auto'
  threads: number | undefined
  /** Undefined: fp32 on the CPU, each checkpoint's own half precision on CUDA. */
  weights: WeightType | undefined
  token: string | undefined
  contextIdleMs: number
  drainMs: number
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
export function readFlags(args: string[], env: Record<string, string | undefined>): ServeOptions {
  const names = Object.keys(flags) as Name[]
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  const { values } = parseFlags({ args, options })
  const text = (name: Name): string | undefined => {
    const flag: Flag = flags[name]
    // An empty variable is as good as none.
    return values[name] ?? (env[variable(name)] || flag.default)
  }
  const whole = (name: Name, least: number, most: number): number | undefined => {
    const given = text(name)
    if (given === undefined) return undefined
    const number = Number(given)
    if (!Number.isInteger(number) || number < least || number > most)
      throw new UsageError(`--${name} must be a whole number from ${least} to ${most}, not "${given}"`)
    return number
  }
  const token = text('token')
  // The form of RFC 6750; no other can be shown.
  if (token !== undefined && !/^[\w.~+/-]+=*$/.test(token))
    throw new UsageError('--token may have letters, digits and -._~+/ only')
  return {
    models: text('models') ?? path.join(import.meta.dirname, '../../models'),
    judge: readJudge(text('judge')!),
    leastLogprob: readLeastLogprob(text('least-logprob')!),
    host: text('host')!,
    port: whole('port', 0, 65_535)!,
    memory: whole('memory', 1, 2 ** 24)!,
    slots: whole('slots', 256, 2 ** 24),
    batchTokens: whole('batch-tokens', 1, 2 ** 20)!,
    queue: {
      requests: whole('max-queued-requests', 1, 2 ** 20)!,
      tokens: whole('max-queued-tokens', 1, 2 ** 30)!,
    },
    device: readDevice(text('device')),
    threads: whole('threads', 1, 1024),
    weights: readWeights(text('weights')),
    token,
    contextIdleMs: whole('context-idle', 1, 86_400)! * 1000,
    drainMs: whole('drain', 0, 3600)! * 1000,
  }
}

function readJudge(text: string): boolean {
  if (text !== 'auto' && text !== 'none') throw new UsageError(`--judge must be auto or none, not "${text}"`)
  return text === 'auto'
}

function readLeastLogprob(text: string): number {
  if (text === 'off') return -Infinity
  const number = Number(text)
  if (!(number <= 0 && number > -Infinity))
    throw new UsageError(`--least-logprob must be a number of at most 0, or off, not "${text}"`)
  return number
}
