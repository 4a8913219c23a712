import { availableParallelism } from 'node:os'
import { listOf, script, whole } from '../src/flags.ts'

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
  prompts?: number | undefined
  /** Written after each prompt, at most. */
  tokens?: number | undefined
  profile: boolean
  quick: boolean
  json: boolean
}

export function readOptions(): BenchOptions {
  const flags = script(
    'bench:engine',
    `The engine alone, without server and worker: plain decoding at temperature 0 against transformers.js and node-llama-cpp
with the same weights, prompts and threads; the cost of packed forwards; the share of the memory's bandwidth; the
throughput of concurrent requests. The other runtimes are installed at the first run (1.2 GB).`,
  )
    .option('--only <a,b>', `of ${sections.join(', ')} (default: all)`, listOf(sections))
    .option('--models <a,b>', `of ${benchModels.join(', ')} (default: both; --quick: demo)`, listOf(benchModels))
    .option('--threads <n>', "default: the machine's cores", whole(1), availableParallelism())
    .option('--prompts <n>', 'of the comparison (default: 8)', whole(1))
    .option('--tokens <n>', 'written after each prompt (default: 96); wide goes on for as long as it may', whole(1))
    .option('--profile', 'where the time goes: forwards by operator, JavaScript by function', false)
    .option('--quick', 'a smoke test of less than 20 seconds; its numbers mean little, and it installs nothing', false)
    .option('--json', 'results alone on stdout', false)
    .parse()
    .opts()
  const { only = [...sections], models = flags.quick ? ['demo'] : [...benchModels] } = flags
  return { ...flags, only, models }
}
