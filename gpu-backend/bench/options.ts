import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

export const sections = ['comparison', 'forwards', 'bandwidth', 'throughput'] as const
export type Section = (typeof sections)[number]

/** `demo`: the target that the project ships, which a large cache holds nearly whole. `wide`: see wide-model.ts. */
export const benchModels = ['demo', 'wide'] as const
export type BenchModel = (typeof benchModels)[number]

export interface BenchOptions {
  only: Section[]
  models: BenchModel[]
  /** Of every runtime's forwards, and of the bandwidth's measurement. */
  threads: number
  /** Of the comparison. Default: see bench.ts. */
  prompts: number | undefined
  /** Written after each prompt, at most. */
  tokens: number | undefined
  profile: boolean
  quick: boolean
  json: boolean
}

export const help = `npm run bench:engine -- [flags]

The engine alone, without server and worker: plain decoding at temperature 0 against transformers.js and node-llama-cpp
with the same weights, prompts and threads; the cost of packed forwards; the share of the memory's bandwidth; the
throughput of concurrent requests. The other runtimes are installed at the first run (1.2 GB).

  --only a,b    of ${sections.join(', ')} (default all)
  --models a,b  of ${benchModels.join(', ')} (default both; --quick: demo)
  --threads N   default: the machine's cores
  --prompts N   of the comparison (default 8)
  --tokens N    written after each prompt (default 96); wide goes on for as long as it may
  --profile     where the time goes: forwards by operator, JavaScript by function
  --quick       a smoke test of less than 20 seconds; its numbers mean little, and it installs nothing
  --json        results alone on stdout`

/** @throws TypeError for a flag that cannot be meant */
export function readOptions(args: string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: sections.join(',') },
      models: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
      prompts: { type: 'string' },
      tokens: { type: 'string' },
      profile: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const models = values.models ?? (values.quick ? 'demo' : benchModels.join(','))
  return {
    only: values.only.split(',').map((name) => oneOf('only', sections, name)),
    models: models.split(',').map((name) => oneOf('models', benchModels, name)),
    threads: count('threads', values.threads),
    prompts: values.prompts === undefined ? undefined : count('prompts', values.prompts),
    tokens: values.tokens === undefined ? undefined : count('tokens', values.tokens),
    profile: values.profile,
    quick: values.quick,
    json: values.json,
  }
}

function count(flag: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`--${flag} takes a whole number from 1 up`)
  return value
}

function oneOf<const Name extends string>(flag: string, names: readonly Name[], text: string): Name {
  const name = names.find((candidate) => candidate === text)
  if (name === undefined) throw new TypeError(`--${flag} takes ${names.join(', ')}; not "${text}"`)
  return name
}
