/** The fault machine: real runs through SDK, worker and backend, struck at random, each held against the same run alone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Lookahead, LookaheadError } from '@lookahead/sdk'
import { isTerminal } from '@lookahead/sdk/protocol'
import { startBackend, startWorker } from '../launcher/index.ts'
import type { Server } from '../launcher/index.ts'
import { drawStrike, pick, processFaults, random } from './fault.ts'
import type { Place, ProcessFault } from './fault.ts'
import { faultyLink } from './faulty-link.ts'
import { soloRuns } from './runs.ts'
import type { Solo } from './runs.ts'

export interface MachineOptions {
  /** Faults in all. */
  count: number
  seed: number
  /** Runs at the same time. */
  clients: number
  /** Milliseconds between worker and backend, there and back. */
  rtt: number
  /** Of all faults, those of processes: each takes seconds. */
  processes: number
  /** Different questions. */
  problems: number
  onProgress?: (line: string) => void
}

export interface Report {
  faults: Record<string, number>
  completed: number
  /** By kind and code of the error. */
  failed: Record<string, number>
  /** Runs that were waiting for their backend, and said so. */
  waited: number
  seconds: number
  /** What must not be. */
  violations: string[]
}

/** How long the worker waits for its backend, and a client for a byte. */
const PATIENCE_SECONDS = 6
const IDLE_MS = 12_000
/** No run takes longer than this: the tries of the SDK, each with the worker's patience for every phase. */
const DEADLINE_MS = 120_000
/** Of all calls, those that are struck. */
const SHARE = 0.35
/** Failures of its backend that a run need not outlive. */
const MOST_STRIKES = 3

export async function faultMachine(options: MachineOptions): Promise<Report> {
  const machine = new Machine(options)
  try {
    return await machine.run()
  } finally {
    await machine.stop()
  }
}

class Machine {
  readonly #options: MachineOptions
  readonly #next: () => number
  readonly #report: Report = { faults: {}, completed: 0, failed: {}, waited: 0, seconds: 0, violations: [] }
  /** How often the backend failed each run. */
  readonly #strikes = new Map<string, number>()
  readonly #stops: (() => Promise<void>)[] = []
  #backend!: Server
  #worker!: Server
  #isCalm = true
  #left: number
  /** When processes were last touched, by `performance.now()`. */
  #shaken = -Infinity

  constructor(options: MachineOptions) {
    this.#options = options
    this.#next = random(options.seed)
    this.#left = options.count - options.processes
  }

  async run(): Promise<Report> {
    const { clients, problems, rtt, onProgress } = this.#options
    const report = this.#report
    await this.#startBackend()
    const behind = await faultyLink({
      target: () => this.#backend.url,
      rtt,
      draw: ({ method, id }) => this.#draw('backend', method, id),
    })
    this.#stops.push(() => behind.close())
    await this.#startWorker(behind.url)
    const before = await faultyLink({
      target: () => this.#worker.url,
      rtt: 0,
      draw: ({ method }) => this.#draw('app', method),
    })
    this.#stops.push(() => before.close())
    const solos = await soloRuns(before.url, problems)
    onProgress?.(`${solos.length} runs are known`)

    const started = performance.now()
    this.#isCalm = false
    const shaking = this.#shake(behind.url)
    const client = new Lookahead({ baseURL: before.url, timeoutMs: IDLE_MS * 2, idleTimeoutMs: IDLE_MS })
    const isOver = () => this.#left <= 0
    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (!isOver()) await this.#one(client, pick(solos, this.#next))
      }),
    )
    await shaking
    this.#isCalm = true
    // One more of each, to see that all is well.
    for (const solo of solos.slice(0, 10)) await this.#one(client, solo, true)
    await this.#settled()
    report.seconds = (performance.now() - started) / 1000
    return report
  }

  async stop(): Promise<void> {
    await this.#worker?.kill()
    for (const stop of this.#stops) await stop()
    await this.#backend?.kill()
  }

  #draw(place: Place, method: string, id?: string): ReturnType<typeof drawStrike> | undefined {
    if (this.#isCalm || method !== 'POST' || this.#left <= 0 || this.#next() > SHARE) return undefined
    const strike = drawStrike(this.#next)
    this.#left--
    this.#count(`${place}: ${strike.kind}`)
    if (place === 'backend' && id !== undefined) this.#strikes.set(id, (this.#strikes.get(id) ?? 0) + 1)
    if (this.#left % 100 === 0) this.#options.onProgress?.(`${this.#left} faults are left`)
    return strike
  }

  #count(fault: string): void {
    const { faults } = this.#report
    faults[fault] = (faults[fault] ?? 0) + 1
  }

  /** One run, held against what it is alone. @param mustComplete nothing strikes it */
  async #one(client: Lookahead, solo: Solo, mustComplete = false): Promise<void> {
    const { violations, failed } = this.#report
    const started = performance.now()
    const about = `${JSON.stringify(solo.request.lookahead)} ${JSON.stringify(solo.request.sampling)}`
    const wrong = (what: string) => violations.push(`${what}: ${about}`)
    let text = ''
    let runId: string | undefined
    let terminals = 0
    let hasWaited = false
    const late = setTimeout(() => wrong(`a run takes more than ${DEADLINE_MS} ms`), DEADLINE_MS)
    try {
      for await (const event of client.runs.stream(solo.request)) {
        if (event.type === 'run.started') runId = event.run_id
        if (event.type === 'text.delta') text += event.text
        if (event.type === 'run.waiting') hasWaited = true
        if (isTerminal(event)) terminals++
        if (event.type === 'run.completed') {
          if (event.usage.completion_tokens !== solo.tokens)
            wrong(`${event.usage.completion_tokens} tokens, not ${solo.tokens}`)
          if (event.finish_reason !== solo.finishReason) wrong(`ended with ${event.finish_reason}`)
        }
      }
      if (terminals !== 1) wrong(`${terminals} terminal events`)
      if (text !== solo.text) wrong(`another text: ${JSON.stringify(text)}, not ${JSON.stringify(solo.text)}`)
      this.#report.completed++
    } catch (error) {
      if (!LookaheadError.isInstance(error)) throw error
      const name = `${error.kind} ${error.code}`
      failed[name] = (failed[name] ?? 0) + 1
      if (terminals > 1) wrong(`${terminals} terminal events`)
      if (!solo.text.startsWith(text))
        wrong(`${name} after another text: ${JSON.stringify(text)}, not ${JSON.stringify(solo.text)}`)
      if (mustComplete) wrong(`${name}, though nothing struck it`)
      const strikes = this.#strikes.get(error.requestId ?? runId ?? '') ?? 0
      const isQuiet = started - this.#shaken > DEADLINE_MS / 4 && performance.now() - this.#shaken > DEADLINE_MS / 4
      if (error.kind === 'run_failed' && strikes < MOST_STRIKES && isQuiet)
        wrong(`${name} (${error.message}) after ${strikes} faults`)
    } finally {
      clearTimeout(late)
      if (hasWaited) this.#report.waited++
    }
  }

  /** Processes fail too, one after another, over the time that the others take. */
  async #shake(backendURL: string): Promise<void> {
    const { processes, count } = this.#options
    const kinds = Array.from({ length: processes }, (_, i) => processFaults[i % processFaults.length]!)
    for (const [i, kind] of kinds.entries()) {
      const due = Math.floor(((count - processes) * (processes - i - 0.5)) / processes)
      while (this.#left > due) await sleep(50)
      this.#count(kind)
      this.#shaken = performance.now()
      await this.#strikeProcess(kind, backendURL)
      this.#shaken = performance.now()
    }
  }

  async #strikeProcess(kind: ProcessFault, backendURL: string): Promise<void> {
    switch (kind) {
      case 'kill backend':
        await this.#backend.kill()
        return this.#startBackend()
      case 'drain backend':
        await this.#backend.stop()
        return this.#startBackend()
      case 'stop backend':
        process.kill(this.#backend.pid, 'SIGSTOP')
        await sleep(500)
        return void process.kill(this.#backend.pid, 'SIGCONT')
      case 'kill worker':
        await this.#worker.kill()
        return this.#startWorker(backendURL)
    }
  }

  async #startBackend(): Promise<void> {
    this.#backend = await startBackend({ contextIdleSeconds: 3, flags: ['--drain', '2'] })
  }

  async #startWorker(backendURL: string): Promise<void> {
    this.#worker = await startWorker({ backendURL, timeoutSeconds: PATIENCE_SECONDS })
  }

  /** Every slot has come back, and nobody is at work. */
  async #settled(): Promise<void> {
    const deadline = performance.now() + 30_000
    for (;;) {
      const state = await this.#health()
      const isBack =
        state.running === 0 &&
        state.contexts === 0 &&
        Object.values(state.pools).every(({ total, free }) => total === free)
      if (isBack) return
      if (performance.now() > deadline)
        return void this.#report.violations.push(`left behind: ${JSON.stringify(state)}`)
      await sleep(200)
    }
  }

  async #health() {
    const response = await fetch(`${this.#backend.url}/health`)
    return (await response.json()) as {
      running: number
      contexts: number
      pools: Record<string, { total: number; free: number }>
    }
  }
}
