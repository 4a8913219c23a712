/** Compares the modes on held-out problems; `npm run bench -- --help` lists the flags. */
import { isCorrect, testProblems } from '@lookahead/gpu-backend/dataset'
import { Lookahead } from '@lookahead/sdk'
import type { Mode } from '@lookahead/sdk'
import { withStack } from '../launcher/index.ts'
import { ask, measure } from '../measure.ts'
import { readOptions } from './options.ts'
import type { BenchOptions } from './options.ts'
import { summarize } from './summary.ts'
import type { ModeSummary, Trial } from './summary.ts'

const options = readOptions()

await withStack(async ({ workerURL }) => {
  const summaries = await bench(new Lookahead({ baseURL: workerURL }), options)
  if (options.json) console.log(JSON.stringify({ problems: options.limit, options, modes: summaries }))
  else console.log(table(summaries))
  if (options.checkExact) checkExact(summaries, options)
})

async function bench(client: Lookahead, { limit, modes, depth, adaptive, verifier, temperature, seed }: BenchOptions) {
  const sampling = { seed, ...(temperature === undefined ? {} : { temperature }) }
  const request = (question: string) => ({ ...ask(question), sampling, lookahead: { depth, adaptive, verifier } })
  const problems = testProblems(limit)
  for (const mode of modes) await measure(client, mode, { ...request(problems[0]!.question), max_tokens: 32 })

  const trials = Object.fromEntries(modes.map((mode) => [mode, []])) as { [M in Mode]?: Trial[] }
  for (const [at, problem] of problems.entries()) {
    // Each mode comes first as often as any other, so that none profits from a cache or a quiet machine.
    const order = modes.map((_, place) => modes[(place + at) % modes.length]!)
    for (const mode of order) {
      const measured = await measure(client, mode, request(problem.question))
      trials[mode]!.push({ ...measured, correct: isCorrect(problem, measured.result.text) })
    }
    console.error(`${at + 1} of ${limit}  ${progress(modes, trials)}`)
  }
  return Object.fromEntries(modes.map((mode) => [mode, summarize(mode, trials[mode]!, trials.ar)]))
}

function progress(modes: Mode[], trials: { [M in Mode]?: Trial[] }): string {
  const last = (mode: Mode) => trials[mode]!.at(-1)!
  return modes
    .map((mode) => `${mode} ${last(mode).tokensPerSecond.toFixed(0)} tokens/s ${last(mode).correct ? '✓' : '✗'}`)
    .join('   ')
}

function table(summaries: Record<string, ModeSummary>): string {
  const ratio = (value: number | null) => (value === null ? '–' : `${value.toFixed(2)}×`)
  const percent = (value: number | null) => (value === null ? '–' : `${(100 * value).toFixed(1)} %`)
  const rows = Object.entries(summaries).map(([mode, summary]) => [
    mode,
    percent(summary.accuracy),
    summary.tokensPerSecond.toFixed(0),
    percent(summary.acceptRate),
    ratio(summary.speedup),
    summary.speedupQuartiles?.map(ratio).join(' – ') ?? '–',
    ratio(summary.speedupOfTotalTime),
  ])
  const head = ['mode', 'accuracy', 'tokens/s', 'accepted', 'speedup', 'quartiles', 'total time']
  return [head, ...rows].map((row) => row.map((cell) => cell.padStart(15)).join('')).join('\n')
}

function checkExact(summaries: Record<string, ModeSummary>, { limit, json }: BenchOptions): void {
  const say = json ? console.error : console.log
  for (const [mode, { equal }] of Object.entries(summaries)) {
    if (mode !== 'ar') say(`${mode}: ${equal} of ${limit} equal`)
    if (equal !== limit) process.exitCode = 1
  }
}
