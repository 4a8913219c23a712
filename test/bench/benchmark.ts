/** The benchmark itself: what is to be run is run, unless it has been. */
import { Lookahead } from '@lookahead/sdk'
import { measure } from '../measure.ts'
import type { Dataset } from './datasets/index.ts'
import { lookaheadOf } from './lookahead-options.ts'
import type { BenchOptions } from './options.ts'
import { withCycle } from './in-process.ts'
import type { Runs } from './in-process.ts'
import { execute, identify, requestFor } from './runs/execute.ts'
import type { RunLog } from './runs/log.ts'
import { planRounds } from './runs/plan.ts'
import type { PlannedRun } from './runs/plan.ts'
import type { Conditions, Run } from './runs/run.ts'
import { withWorker } from './servers.ts'

const WARM_UP_TOKENS = 32

export interface Watcher {
  /** @param done runs that were made before, of `total` */
  start(done: number, total: number): void
  ran(run: Run): void
  stop(): void
}

/** All runs that the options ask for, from the log or made now. Without workers where the log has them all. */
export async function benchmark(
  options: BenchOptions,
  dataset: Dataset,
  log: RunLog,
  watcher: Watcher,
): Promise<Run[]> {
  const conditions = conditionsOf(options, dataset)
  const planned = planRounds(dataset.problems(options.limit), options)
  const identity = (run: PlannedRun) => identify(run, conditions)
  const missing = planned.map((round) => round.filter((run) => !log.completed(identity(run))))
  const total = planned.flat().length
  const left = missing.flat()
  if (left.length > 0)
    await withRuns(options, async (client) => {
      await warmUp(client, left, conditions)
      watcher.start(total - left.length, total)
      for (const round of missing)
        await share(round, options.concurrency, async (run) => {
          const made = await execute(client, run, conditions)
          await log.add(made)
          watcher.ran(made)
        })
      watcher.stop()
    })
  return planned.flat().flatMap((run) => log.find(identity(run)) ?? [])
}

/** What to ask: a worker, or the cycle in this process. */
function withRuns(options: BenchOptions, main: (client: Runs) => Promise<void>): Promise<void> {
  if (options.inProcess) return withCycle(options, main)
  return withWorker(options, (url) => main(new Lookahead({ baseURL: url })))
}

/** Everything in the options that results may differ by. */
export function conditionsOf(options: BenchOptions, { name, maxTokens }: Dataset): Conditions {
  const { pair, weights, threads, device, models, backend, forced, rtt, url, inProcess } = options
  const { concurrency, temperature, depth, adaptive, verifier } = options
  return {
    dataset: name,
    ...(url === undefined ? { pair, ...given({ weights, threads }), rtt } : { url }),
    ...(inProcess
      ? { inProcess, ...given({ backend, device, models, forced: forced && JSON.stringify(forced) }) }
      : {}),
    concurrency,
    ...given({ temperature }),
    maxTokens: options.maxTokens ?? maxTokens,
    depth,
    adaptive,
    verifier,
    ...given({ lookahead: lookaheadOf(options) }),
  }
}

/** Without what is undefined. */
const given = <T extends object>(values: T) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>
  }

/** Each mode's first run loads and compiles what later ones have. @throws LookaheadError where a mode cannot be run at all */
export async function warmUp(client: Runs, runs: readonly PlannedRun[], conditions: Conditions): Promise<void> {
  for (const mode of new Set(runs.map((run) => run.mode)))
    await measure(client, mode, { ...requestFor(runs[0]!, conditions), max_tokens: WARM_UP_TOKENS })
}

/** `clients` at a time, each taking the next. */
async function share<T>(items: readonly T[], clients: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const client = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: clients }, client))
}
