import type { ForcedAcceptance } from '@lookahead/gpu-backend'
import { decimal, listOf, matching, Option, script, some, whole } from '@lookahead/gpu-backend/flags'
import { DEFAULT_VERIFIER, MAX_WIDTH, modes, parseRequest, RunRequest } from '@lookahead/sdk/protocol'
import type { Mode, Verifier } from '@lookahead/sdk'
import { lookaheadOf, refused } from './lookahead-options.ts'
import type { Lookahead } from './lookahead-options.ts'

export const pairs = ['near', 'far'] as const
export const devices = ['cpu', 'cuda'] as const
export const weightTypes = ['fp32', 'fp16', 'bf16', 'int8', 'int4'] as const

export interface BenchOptions {
  /** A name, or a JSONL file. */
  dataset: string
  /** Problems at most. */
  limit: number
  /** Runs of each problem in each mode. */
  samples: number
  modes: Mode[]
  /** Clients at a time. */
  concurrency: number
  depth: number
  /** Whether the depth may fall below `depth` where that pays. */
  adaptive: boolean
  verifier: Verifier
  /** Alternatives drafted for each step. */
  width?: number | undefined
  /** Tokens guessed per forward by n-gram and by the draft model, at most; none of drafted steps. */
  tokens?: number | undefined
  /** What steps end with, `sentences` among them. */
  delimiters?: string | undefined
  /** Other options of lookahead, by their names in a run's request. */
  lookahead?: Lookahead | undefined
  /** Default: the model's own. */
  temperature?: number | undefined
  /** Default: the dataset's. */
  maxTokens?: number | undefined
  /** Of each problem's first sample; those of the others follow. */
  seed: number
  pair: (typeof pairs)[number]
  /** Default: the backend's. */
  weights?: (typeof weightTypes)[number] | undefined
  /** Of the backend's forwards. Default: one per core. */
  threads?: number | undefined
  /** Milliseconds put between worker and backend, there and back. */
  rtt: number
  /** A worker that runs already. Then `pair`, `weights`, `threads` and `rtt` are its own. */
  url?: string | undefined
  /** Without a worker: cycle and engine in the benchmark's own process. */
  inProcess: boolean
  /** In process: a backend that runs already, in place of an engine. */
  backend?: string | undefined
  /** In process: where the engine runs. Default: the CPU. */
  device?: (typeof devices)[number] | undefined
  /** In process: the models' folder. Default: the demo models. */
  models?: string | undefined
  /** In process: acceptance is drawn at these rates, whatever the models say. */
  forced?: ForcedAcceptance | undefined
  /** Whether every mode must write what plain decoding writes (verifier `exact`, temperature 0). */
  checkExact: boolean
  /** File to which runs are added, and from which those that it has are taken. */
  out?: string | undefined
  json: boolean
}

/** What the protocol takes where a request says nothing. */
const defaults = parseRequest(RunRequest, { prompt: 'x' }).lookahead

export function readOptions(args: readonly string[] = process.argv.slice(2)): BenchOptions {
  const program = script('bench', 'Problems through worker and SDK, every mode on every problem, in turns.')
    .option(
      '--dataset <name|file>',
      'demo, demo-long, or a JSONL file: GSM8K, MATH-500, AIME, AMC, or lines with question and answer',
      some,
      'demo',
    )
    .option('--limit <n>', 'problems at most', whole(1), 20)
    .option('--samples <n>', 'runs of each problem in each mode, with seeds that follow on each other', whole(1), 1)
    .option('--modes <a,b>', `of ${modes.join(', ')} (default: all); speedups are against ar`, listOf(modes))
    .option('--concurrency <n>', 'clients at a time, all in one mode', whole(1), 1)
    .option('--depth <n>', 'steps drafted ahead at most', whole(1, 16), defaults.depth)
    .option('--fixed-depth', 'always so many of them, as in the paper', false)
    .option('--width <n>', `alternatives drafted for each (default: ${defaults.width})`, whole(1, MAX_WIDTH))
    .option('--verifier <name>', 'what rules on drafted steps', some, DEFAULT_VERIFIER)
    .option(
      '--tokens <n>',
      "tokens guessed per forward at most, by n-gram and by the draft model; those of drafted steps are no guesses (default: the mode's own)",
      whole(0),
    )
    .option(
      '--delimiters <a,b>',
      String.raw`what a step ends with, \n for a line's end, sentences for any sentence's (default: \n\n)`,
      some,
    )
    .option(
      '--lookahead <key=value,…>',
      "other options of a run's `lookahead`, for example steps.max_tokens=50",
      lookaheadOptions,
    )
    .option('--temperature <t>', "default: the model's own", decimal(0, 2))
    .option('--max-tokens <n>', "output tokens at most (default: the dataset's)", whole(1))
    .option('--seed <n>', 'of the sampling', whole(0), 0)
    .addOption(
      new Option('--pair <which>', 'the draft: one that is near to the target, or far')
        .choices(pairs)
        .default('near' as const),
    )
    .addOption(new Option('--weights <type>', "as the backend's flag (default: the backend's)").choices(weightTypes))
    .option('--threads <n>', "as the backend's flag: all modes have the same", whole(1))
    .option('--rtt <ms>', 'round trip put between worker and backend, in milliseconds', decimal(0, 10_000), 0)
    .addOption(
      new Option('--url <url>', 'a worker that runs already')
        .argParser(matching(/^https?:\/\/\S+$/, 'a URL such as http://127.0.0.1:8787'))
        .conflicts(['pair', 'weights', 'threads', 'rtt', 'inProcess']),
    )
    .addOption(
      new Option('--in-process', 'no worker and no HTTP: cycle and engine in this process')
        .default(false)
        .conflicts('rtt'),
    )
    .addOption(
      new Option('--backend <url>', 'in process: a backend that runs already, in place of an engine')
        .argParser(matching(/^https?:\/\/\S+$/, 'a URL such as http://127.0.0.1:8600'))
        .implies({ inProcess: true })
        .conflicts(['pair', 'weights', 'threads', 'url']),
    )
    .addOption(
      new Option('--device <name>', 'in process: where the engine runs').choices(devices).implies({ inProcess: true }),
    )
    .addOption(
      new Option('--models <folder>', 'in process: with target/, draft/ and judge/ (default: the demo models)')
        .argParser(some)
        .implies({ inProcess: true }),
    )
    .addOption(
      new Option(
        '--forced <steps=a,tokens=b>',
        'in process: drafted steps and guessed tokens are accepted at these rates, whatever the models say',
      )
        .argParser(forcedRates)
        .implies({ inProcess: true })
        .conflicts(['backend', 'checkExact']),
    )
    .addOption(
      new Option('--check-exact', 'verifier exact at temperature 0: every mode must write what ar writes')
        .default(false)
        .conflicts(['verifier', 'temperature']),
    )
    .option('--out <file>', 'JSONL file of runs: those that it has are not made again, new ones are added', some)
    .option('--json', 'results alone on stdout', false)
    .parse(args, { from: 'user' })
  const { fixedDepth, checkExact, ...flags } = program.opts()
  const lookahead = lookaheadOf(flags)
  const refusal = lookahead && refused(lookahead)
  if (refusal !== undefined) program.error(refusal)
  const exact = checkExact ? { verifier: 'exact' as const, temperature: 0 } : {}
  const chosen = flags.modes ?? [...modes]
  return {
    ...flags,
    ...exact,
    modes: [...new Set<Mode>([...(checkExact ? ['ar' as const] : []), ...chosen])],
    adaptive: !fixedDepth,
    checkExact,
  }
}

/** Reads `steps=0.6,tokens=0.8`. */
export function forcedRates(text: string): ForcedAcceptance {
  const parts = /^steps=([^,]+),tokens=([^,]+)$/.exec(
    matching(/^steps=[\d.]+,tokens=[\d.]+$/, 'steps=0.6,tokens=0.8, for example')(text),
  )!
  const rate = decimal(0, 1)
  return { steps: rate(parts[1]!), tokens: rate(parts[2]!) }
}

/** Reads `steps.max_tokens=50,overlap=false`. */
const lookaheadOptions = (text: string): Lookahead =>
  Object.fromEntries(
    matching(
      /^[^=,]+=[^=,]+(,[^=,]+=[^=,]+)*$/,
      'key=value, with commas between several',
    )(text)
      .split(',')
      .map(keyAndValue),
  )

function keyAndValue(part: string): [string, string | number | boolean] {
  const [key, value] = part.split('=') as [string, string]
  if (value === 'true' || value === 'false') return [key, value === 'true']
  return [key, Number.isNaN(Number(value)) ? value : Number(value)]
}
