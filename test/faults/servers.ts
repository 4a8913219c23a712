/** The two servers of the fault machine, whose processes fail too. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startBackend, startWorker } from '../launcher/index.ts'
import type { Server } from '../launcher/index.ts'
import type { ProcessFault } from './fault.ts'

/** How long a backend that is told to stop lets texts go on, in seconds. */
const DRAIN_SECONDS = '1'
const STOPPED_MS = 500

export class Servers {
  readonly #patienceSeconds: number
  #backend!: Server
  #worker!: Server
  /** Where the worker finds the backend. */
  #link!: string

  /** @param patienceSeconds how long the worker waits for the backend */
  constructor(patienceSeconds: number) {
    this.#patienceSeconds = patienceSeconds
  }

  get backendURL(): string {
    return this.#backend.url
  }

  get workerURL(): string {
    return this.#worker.url
  }

  async startBackend(): Promise<void> {
    this.#backend = await startBackend({ contextIdleSeconds: 2, flags: ['--drain', DRAIN_SECONDS] })
  }

  /** @param link where it finds the backend. Default: where it found it before */
  async startWorker(link = this.#link): Promise<void> {
    this.#link = link
    this.#worker = await startWorker({ backendURL: link, timeoutSeconds: this.#patienceSeconds })
  }

  /** Resolves when both serve again. */
  async strike(kind: ProcessFault): Promise<void> {
    switch (kind) {
      case 'kill backend':
        await this.#backend.kill()
        return this.startBackend()
      case 'drain backend':
        await this.#backend.stop()
        return this.startBackend()
      case 'stop backend':
        process.kill(this.#backend.pid, 'SIGSTOP')
        await sleep(STOPPED_MS)
        return void process.kill(this.#backend.pid, 'SIGCONT')
      case 'kill worker':
        await this.#worker.kill()
        return this.startWorker()
    }
  }

  /** Waits until every slot has come back and nobody is at work. @returns what is left, when it stays for `patienceMs` */
  async leftBehind(patienceMs: number): Promise<string | undefined> {
    for (const deadline = performance.now() + patienceMs; ; await sleep(100)) {
      const response = await fetch(`${this.#backend.url}/health`)
      const state = (await response.json()) as {
        running: number
        contexts: number
        pools: Record<string, { total: number; free: number }>
      }
      const { running, contexts, pools } = state
      if (running === 0 && contexts === 0 && Object.values(pools).every(({ total, free }) => total === free))
        return undefined
      if (performance.now() > deadline) return JSON.stringify(state)
    }
  }

  async stop(): Promise<void> {
    await this.#worker?.kill()
    await this.#backend?.kill()
  }
}
