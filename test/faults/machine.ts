/** The fault machine: real runs through SDK, worker and backend, struck at random, each held against the same run alone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Lookahead } from '@lookahead/sdk'
import { drawStrike, pick, processFaults, random } from './fault.ts'
import type { Place, Strike } from './fault.ts'
import { faultyLink } from './faulty-link.ts'
import type { LinkOptions } from './faulty-link.ts'
import { soloRuns } from './runs.ts'
import type { Solo } from './runs.ts'
import { Servers } from './servers.ts'
import { nameOf, witness } from './witness.ts'

export interface MachineOptions {
  /** Faults in all. */
  count: number
  seed: number
  /** Runs at the same time. */
  clients: number
  /** Backends behind the worker. Default: one. */
  backends?: number
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
const PATIENCE_SECONDS = 5
const IDLE_MS = 6_000
/** No run takes longer than this: the tries of the SDK, each with the worker's patience for every phase. */
const DEADLINE_MS = 90_000
/** After a process was struck, or this one had no time, whoever fails may have failed by that. */
const UNREST_MS = 1_000
/** This process did not run for so long: it was stopped, or the machine is overloaded. */
const LAG_MS = 1_000
/** Of all calls, those that are struck. */
const SHARE = 0.4
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
  readonly #servers = new Servers(PATIENCE_SECONDS)
  /** How often the backend failed each run. */
  readonly #strikes = new Map<string, number>()
  readonly #stops: (() => unknown)[] = []
  #isCalm = true
  /** Faults of connections to come. */
  #left: number
  /** When processes were last touched, by `performance.now()`. */
  #shaken = -Infinity
  /** When this process was last seen to run, and how long it was kept from it, in milliseconds. */
  #seen = performance.now()
  #stood = 0

  constructor(options: MachineOptions) {
    this.#options = options
    this.#next = random(options.seed)
    this.#left = options.count - options.processes
  }

  async run(): Promise<Report> {
    const { clients, backends = 1, problems, rtt, onProgress } = this.#options
    const started = performance.now()
    this.#watchTime()
    const behind = async (which: number) => {
      await this.#servers.startBackend(which)
      return (await this.#link('backend', () => this.#servers.backendURL(which), rtt)).url
    }
    await this.#servers.startWorker(await Promise.all(Array.from({ length: backends }, (_, which) => behind(which))))
    const before = await this.#link('app', () => this.#servers.workerURL, 0)
    const solos = await soloRuns(before.url, problems)
    onProgress?.(`${solos.length} runs are known`)

    const client = new Lookahead({ baseURL: before.url, timeoutMs: IDLE_MS, idleTimeoutMs: IDLE_MS })
    const one = async () => {
      while (this.#left > 0) await this.#one(client, pick(solos, this.#next))
    }
    this.#isCalm = false
    await Promise.all([this.#shake(), ...Array.from({ length: clients }, one)])
    this.#isCalm = true
    // And some more, to see that all is well.
    await Promise.all(Array.from({ length: clients }, () => this.#one(client, pick(solos, this.#next), true)))
    const left = await this.#servers.leftBehind(DEADLINE_MS)
    if (left !== undefined) this.#report.violations.push(`left behind: ${left}`)
    this.#report.seconds = (performance.now() - started) / 1000
    return this.#report
  }

  async stop(): Promise<void> {
    await this.#servers.stop()
    for (const stop of this.#stops) await stop()
  }

  async #link(place: Place, target: () => string, rtt: number) {
    const draw: LinkOptions['draw'] = (method) => {
      const isMeant = !this.#isCalm && method !== 'GET' && this.#left > 0
      return isMeant && this.#next() < SHARE ? drawStrike(this.#next) : undefined
    }
    const link = await faultyLink({ target, rtt, draw, onStruck: (strike, id) => this.#struck(place, strike, id) })
    this.#stops.push(() => link.close())
    return link
  }

  #struck(place: Place, { kind }: Strike, id?: string): void {
    this.#left--
    this.#count(`${place}: ${kind}`)
    if (place === 'backend' && id !== undefined) this.#strikes.set(id, (this.#strikes.get(id) ?? 0) + 1)
    if (this.#left % 100 === 0) this.#options.onProgress?.(`${this.#left} faults are left`)
  }

  #count(fault: string): void {
    const { faults } = this.#report
    faults[fault] = (faults[fault] ?? 0) + 1
  }

  /** @param mustComplete nothing strikes it */
  async #one(client: Lookahead, solo: Solo, mustComplete = false): Promise<void> {
    const { violations, failed } = this.#report
    const started = performance.now()
    const { error, runId, hasWaited, violations: own } = await this.#inTime((signal) => witness(client, solo, signal))
    violations.push(...own)
    if (hasWaited) this.#report.waited++
    if (!error) return void this.#report.completed++
    const name = nameOf(error)
    failed[name] = (failed[name] ?? 0) + 1
    const strikes = this.#strikes.get(runId ?? '') ?? 0
    this.#clock()
    const mayFail = error.kind !== 'run_failed' ? !mustComplete : strikes >= MOST_STRIKES
    if (!mayFail && started - this.#shaken > UNREST_MS)
      violations.push(`${name} (${error.message}) after ${strikes} faults: ${JSON.stringify(solo.request)}`)
  }

  /** Ends a run that takes too long. */
  async #inTime<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController()
    const due = this.#clock() + DEADLINE_MS
    const end = () => {
      const left = due - this.#clock()
      const rest = performance.now() - this.#shaken < UNREST_MS ? UNREST_MS : 0
      if (Math.max(left, rest) > 0) {
        timer = setTimeout(end, Math.max(left, rest))
        return
      }
      this.#report.violations.push(`a run takes more than ${DEADLINE_MS} ms`)
      late.abort()
    }
    let timer = setTimeout(end, DEADLINE_MS)
    try {
      return await run(late.signal)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Processes fail too, one after another, over the time that the others take. */
  async #shake(): Promise<void> {
    const { processes, count } = this.#options
    for (let i = 0; i < processes; i++) {
      const due = Math.floor(((count - processes) * (processes - i - 0.5)) / processes)
      while (this.#left > due) await sleep(20)
      const kind = processFaults[i % processFaults.length]!
      this.#count(kind)
      this.#shaken = Infinity
      await this.#servers.strike(kind)
      this.#shaken = performance.now()
    }
  }

  /** Who has no time sees others fail that do not. */
  #watchTime(): void {
    const timer = setInterval(() => this.#clock(), LAG_MS / 10)
    this.#stops.push(() => clearInterval(timer))
  }

  /** Milliseconds in which this process could run. Asked before judging: after a stop other timers come before the watch's. */
  #clock(): number {
    const now = performance.now()
    const lag = now - this.#seen
    this.#seen = now
    if (lag > LAG_MS) {
      this.#stood += lag
      if (this.#shaken < now) this.#shaken = now
    }
    return now - this.#stood
  }
}
