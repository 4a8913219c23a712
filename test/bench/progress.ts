import { Presets, SingleBar } from 'cli-progress'
import type { Watcher } from './benchmark.ts'
import { isFailed } from './runs/run.ts'
import type { Run } from './runs/run.ts'

/** Where stderr is no terminal, a line so often, in milliseconds. */
const LINE_EVERY_MS = 5000

/** A bar on stderr that says when the last run will be through, and what the last one was like. */
export class Progress implements Watcher {
  readonly #bar = new SingleBar(
    {
      format: '{bar} {value} of {total} runs, {eta_formatted} left   {last}',
      stream: process.stderr,
      noTTYOutput: true,
      notTTYSchedule: LINE_EVERY_MS,
      // Modes take turns, and some are slower: one turn of all is not enough to tell.
      etaBuffer: 50,
      barsize: 24,
      gracefulExit: false,
    },
    Presets.shades_classic,
  )
  #failed = 0

  start(done: number, total: number): void {
    this.#bar.start(total, done, { last: '' })
  }

  ran(run: Run): void {
    if (isFailed(run)) this.#failed++
    this.#bar.increment(1, { last: `${said(run)}${this.#failed > 0 ? `   ${this.#failed} failed` : ''}` })
  }

  stop(): void {
    this.#bar.stop()
  }
}

function said(run: Run): string {
  if (isFailed(run)) return `${run.problem} ${run.mode}: ${run.error.message}`
  const { mode, tokens, ms, right, of } = run
  const mark = of === 1 ? (right === 1 ? '✓' : '✗') : `${right}/${of}`
  return `${mode} ${((1000 * tokens) / ms).toFixed(0)} tokens/s ${mark}`
}
