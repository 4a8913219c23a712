/** Mixed runs through SDK, worker and backend for a long time: every text must be the one given alone, and memory stay flat. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Lookahead } from '@lookahead/sdk'
import { quantile } from '../bench/statistics.ts'
import { pick, random } from '../faults/fault.ts'
import { soloRuns } from '../faults/runs.ts'
import type { Solo } from '../faults/runs.ts'
import { nameOf, witness } from '../faults/witness.ts'
import { startBuiltWorker, withStack } from '../launcher/index.ts'
import type { Stack, WorkerOptions } from '../launcher/index.ts'
import { groupMemory, residentMemory } from './memory.ts'
import { untilIdle } from './watch.ts'

export interface SoakOptions {
  minutes: number
  /** Runs at the same time. */
  clients: number
  /** Fixes which runs each client begins. */
  seed: number
  /** Told every minute. */
  onProgress?: (line: string) => void
}

export interface SoakReport {
  /** Runs that completed, and those that their clients left before the end. */
  completed: number
  left: number
  /** Medians of each minute, in MiB. */
  backend: number[]
  workerd: number[]
  /** What must not be. */
  violations: string[]
}

const INTERVAL_MS = 1_000
const PER_MINUTE = 60_000 / INTERVAL_MS
/** After so many minutes memory is to be flat: heaps and pools have their size. */
const WARM_MINUTES = 3
/**
 * V8 lets garbage lie as long as there is room, and what lies there looks like growth. With these flags it collects all of it
 * whenever 8 MiB of new objects are full, so that what grows is what is kept.
 */
const TIDY = ['gc-global', 'min-semi-space-size=8', 'max-semi-space-size=8']
/** Growth that is forgiven, as a part of the memory. */
const MOST_GROWTH = 0.1
const PROBLEMS = 4
/** So few that all are soon in use: a pool's pages come with their first use. */
const SLOTS = 2_500
/** Of all clients, those that leave before the end. */
const LEAVING = 0.2
/** Of all runs, those that are stored. */
const STORED = 0.2
const IDLE_PATIENCE_MS = 60_000

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const report: SoakReport = { completed: 0, left: 0, backend: [], workerd: [], violations: [] }
  const serve = (of: WorkerOptions) => startBuiltWorker({ ...of, v8Flags: TIDY })
  await withStack((stack) => new Soak(stack, options, report).run(), {
    contextIdleSeconds: 5,
    slots: SLOTS,
    v8Flags: TIDY,
    serve,
  })
  return report
}

class Soak {
  readonly #stack: Stack
  readonly #options: SoakOptions
  readonly #report: SoakReport
  #isOver = false

  constructor(stack: Stack, options: SoakOptions, report: SoakReport) {
    this.#stack = stack
    this.#options = options
    this.#report = report
  }

  async run(): Promise<void> {
    const { clients, seed } = this.#options
    const solos = await soloRuns(this.#stack.workerURL, PROBLEMS)
    const visits = Array.from({ length: clients }, (_, i) => this.#visits(solos, random(seed * clients + i)))
    await this.#watch()
    this.#isOver = true
    await Promise.all(visits)
    const held = await untilIdle(this.#stack.backendURL, IDLE_PATIENCE_MS)
    if (held !== undefined) this.#report.violations.push(`still there after all clients left: ${held}`)
  }

  /** One client, run after run. */
  async #visits(solos: readonly Solo[], next: () => number): Promise<void> {
    const client = new Lookahead({ baseURL: this.#stack.workerURL })
    const never = new AbortController().signal
    while (!this.#isOver) {
      const solo = next() < STORED ? stored(pick(solos, next)) : pick(solos, next)
      if (next() < LEAVING) {
        let events = Math.floor(20 * next())
        for await (const _ of client.runs.stream(solo.request)) if (events-- <= 0) break
        this.#report.left++
        continue
      }
      const { error, violations } = await witness(client, solo, never)
      this.#report.violations.push(...violations)
      if (error) this.#report.violations.push(`${nameOf(error)} (${error.message}): ${JSON.stringify(solo.request)}`)
      else this.#report.completed++
    }
  }

  /** Memory, second after second, for the whole time. */
  async #watch(): Promise<void> {
    const { backend, worker } = this.#stack
    const { minutes, onProgress } = this.#options
    const samples = { backend: [] as number[], workerd: [] as number[] }
    for (let second = 1; second <= minutes * PER_MINUTE; second++) {
      await sleep(INTERVAL_MS)
      samples.backend.push((await residentMemory(backend.pid)) ?? 0)
      samples.workerd.push((await groupMemory(worker.pid, 'workerd')) ?? 0)
      if (second % PER_MINUTE > 0) continue
      const said = (['backend', 'workerd'] as const).map((name) => {
        const median = quantile(samples[name].splice(0), 0.5)
        this.#report[name].push(median)
        return `${name} ${median.toFixed(0)} MiB`
      })
      onProgress?.(`${second / PER_MINUTE} minutes, ${this.#report.completed} runs: ${said.join(', ')}`)
    }
    for (const name of ['backend', 'workerd'] as const) {
      const growth = growthOf(this.#report[name])
      if (growth) this.#report.violations.push(`${name} ${growth}`)
    }
  }
}

/** What is wrong with the memory of a process. @param medians of each minute, in MiB; 0 where it was not to be had */
export function growthOf(medians: readonly number[]): string | undefined {
  if (medians.includes(0)) return 'does not tell its memory'
  const [from, to] = [medians[WARM_MINUTES], medians.at(-1)]
  if (from === undefined || to === undefined || to <= from * (1 + MOST_GROWTH)) return undefined
  return `grew from ${from.toFixed(0)} to ${to.toFixed(0)} MiB`
}

const stored = (solo: Solo): Solo => ({ ...solo, request: { ...solo.request, store: true } })
