/** What the method takes at a given acceptance, over depths, with one engine; `--help` lists the flags, docs/benchmark.md says more. */
import type { Mode } from '@lookahead/sdk'
import { decimal, listOf, Option, script, some, whole } from '@lookahead/gpu-backend/flags'
import { conditionsOf, warmUp } from './benchmark.ts'
import { loadDataset } from './datasets/index.ts'
import { withCycle } from './in-process.ts'
import type { Runs } from './in-process.ts'
import { devices, forcedRates, readOptions, weightTypes } from './options.ts'
import { execute } from './runs/execute.ts'
import { RunLog } from './runs/log.ts'
import { isFailed } from './runs/run.ts'
import type { Conditions, Run } from './runs/run.ts'
import { summarize } from './summary.ts'

const flags = script(
  'bench:forced',
  `Plain decoding, and the modes that speculate, over depths and guesses, in this process and with one engine, where every drafted step and every guessed
token is accepted at given rates: made for models with random weights (npm run gpu:models). A line of the table as soon as it is known.`,
)
  .requiredOption('--models <folder>', 'with target/, draft/ and perhaps judge/', some)
  .requiredOption('--forced <steps=a,tokens=b>', 'the rates', forcedRates)
  .option('--step-tokens <n>', 'tokens of a step: noise has no delimiters', whole(1, 1000), 25)
  .option('--depths <a,b>', 'steps drafted ahead', listOf(['1', '2', '3', '4', '5', '6', '7', '8']))
  .option('--guesses <a,b>', 'tokens guessed per forward at most', listOf(['1', '2', '4', '8', '16']))
  .option('--limit <n>', 'problems', whole(1), 2)
  .option('--max-tokens <n>', 'of each text', whole(1), 400)
  .option('--memory <mib>', 'for the keys and values of all models', decimal(1), 4096)
  .addOption(new Option('--device <name>', 'where the engine runs').choices(devices).default('cuda' as const))
  .addOption(new Option('--weights <type>', "default: the device's own").choices(weightTypes))
  .option('--out <file>', 'JSONL file to which the runs are added', some)
  .parse()
  .opts()
const { depths = ['1', '2', '3', '4', '5', '6', '7', '8'], guesses = ['4', '16'] } = flags

const columns = ['mode', 'depth', 'guesses', 'tokens/s', 'against ar', 'steps accepted', 'failed']

const dataset = await loadDataset('demo')
const problems = dataset.problems(flags.limit)
const log = await RunLog.open(flags.out)
const bench = { ...readOptions(['--fixed-depth', '--device', flags.device]), ...flags }
await withCycle(bench, sweep)

async function sweep(client: Runs): Promise<void> {
  const first = { problem: problems[0]!, sample: 0, seed: 0 }
  const modes = ['ar', 'sd', 'lr', 'lr+sd'] as const
  await warmUp(
    client,
    modes.map((mode) => ({ ...first, mode })),
    conditions(Math.max(...depths.map(Number))),
  )
  console.log(`| ${columns.join(' | ')} |\n| ${columns.map(() => '---').join(' | ')} |`)
  const plain = await runs(client, 'ar', 1)
  tell('ar', '', '', plain, plain)
  for (const most of guesses) tell('sd', '', most, await runs(client, 'sd', 1, Number(most)), plain)
  for (const depth of depths) {
    tell('lr', depth, '', await runs(client, 'lr', Number(depth)), plain)
    for (const most of guesses)
      tell('lr+sd', depth, most, await runs(client, 'lr+sd', Number(depth), Number(most)), plain)
  }
}

async function runs(client: Runs, mode: Mode, depth: number, most?: number): Promise<Run[]> {
  const made: Run[] = []
  for (const problem of problems) {
    const run = await execute(client, { problem, mode, sample: 0, seed: 0 }, conditions(depth, most))
    await log.add(run)
    if (isFailed(run)) [process.exitCode] = [1, console.error(`${mode}, depth ${depth}: ${run.error.message}`)]
    made.push(run)
  }
  return made
}

/** @param most tokens guessed per forward, in modes that guess any */
function conditions(depth: number, most?: number): Conditions {
  const steps = { 'steps.max_tokens': flags.stepTokens, 'steps.half_steps': 'verify' }
  const lookahead = { ...steps, ...(most === undefined ? {} : { 'tokens.ngram': most, 'tokens.draft': most }) }
  return conditionsOf({ ...bench, depth, lookahead }, dataset)
}

function tell(mode: Mode, depth: string, most: string, made: readonly Run[], plain: readonly Run[]): void {
  const { tokensPerSecond, speedupOfTotalTime, stepAcceptance, failed } = summarize(made, plain)
  const cells = [
    mode,
    depth,
    most,
    tokensPerSecond.toFixed(1),
    speedupOfTotalTime === null ? '' : `${speedupOfTotalTime.toFixed(2)} ×`,
    stepAcceptance === null ? '' : `${(100 * stepAcceptance).toFixed(0)} %`,
    failed,
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
