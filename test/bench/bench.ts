/** Compares the modes on problems; `npm run bench -- --help` lists the flags, docs/benchmark.md says more. */
import { benchmark } from './benchmark.ts'
import { DatasetError, loadDataset } from './datasets/index.ts'
import { readOptions } from './options.ts'
import type { BenchOptions } from './options.ts'
import { Progress } from './progress.ts'
import { RunLog, RunsError } from './runs/log.ts'
import { summarizeModes } from './summary.ts'
import type { ModeSummary } from './summary.ts'

const options = readOptions()
try {
  const dataset = await loadDataset(options.dataset)
  const log = await RunLog.open(options.out)
  const runs = await benchmark(options, dataset, log, new Progress())
  const problems = dataset.problems(options.limit).length
  const summaries = summarizeModes(runs, options.modes)
  if (options.json) console.log(JSON.stringify({ problems, options, modes: summaries }))
  else console.log(table(summaries))
  if (options.checkExact) checkExact(summaries, problems * options.samples, options)
  if (Object.values(summaries).some(({ failed }) => failed > 0)) process.exitCode = 1
} catch (error) {
  if (!(error instanceof DatasetError || error instanceof RunsError)) throw error
  console.error(`npm run bench: ${error.message}`)
  process.exitCode = 2
}

function table(summaries: Record<string, ModeSummary>): string {
  const ratio = (value: number | null) => (value === null ? '–' : `${value.toFixed(2)}×`)
  const percent = (value: number | null) => (value === null ? '–' : `${(100 * value).toFixed(1)} %`)
  const rows = Object.entries(summaries).map(([mode, summary]) => [
    mode,
    percent(summary.accuracy),
    summary.accuracyInterval.map((bound) => (100 * bound).toFixed(1)).join(' – '),
    summary.tokensPerSecond.toFixed(0),
    percent(summary.acceptRate),
    ratio(summary.speedup),
    summary.speedupQuartiles?.map(ratio).join(' – ') ?? '–',
    ratio(summary.speedupOfTotalTime),
    String(summary.failed),
  ])
  const head = ['mode', 'accuracy', '95 %', 'tokens/s', 'accepted', 'speedup', 'quartiles', 'total time', 'failed']
  return [head, ...rows].map((row) => row.map((cell) => cell.padStart(15)).join('')).join('\n')
}

function checkExact(summaries: Record<string, ModeSummary>, runs: number, { json }: BenchOptions): void {
  const say = json ? console.error : console.log
  for (const [mode, { equal }] of Object.entries(summaries)) {
    if (mode !== 'ar') say(`${mode}: ${equal} of ${runs} equal`)
    if (equal !== runs) process.exitCode = 1
  }
}
