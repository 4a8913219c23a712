/** The servers of the fault machine, a worker and one backend or several, whose processes fail too. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startBackend, startWorker } from '../launcher/index.ts'
import type { Server } from '../launcher/index.ts'
import type { ProcessFault } from './fault.ts'

/** How long a backend that is told to stop lets texts go on, in seconds. */
const DRAIN_SECONDS = '1'
const STOPPED_MS = 500

export class Servers {
  readonly #patienceSeconds: number
  readonly #backends: Server[] = []
  #worker!: Server
  /** Where the worker finds the backends. */
  #links!: readonly string[]
  /** Strikes of backends so far: they come in turns. */
  #struck = 0

  /** @param patienceSeconds how long the worker waits for a backend */
  constructor(patienceSeconds: number) {
    this.#patienceSeconds = patienceSeconds
  }

  backendURL(which: number): string {
    return this.#backends[which]!.url
  }

  get workerURL(): string {
    return this.#worker.url
  }

  async startBackend(which: number): Promise<void> {
    this.#backends[which] = await startBackend({ contextIdleSeconds: 2, flags: ['--drain', DRAIN_SECONDS] })
  }

  /** @param links where it finds the backends. Default: where it found them before */
  async startWorker(links = this.#links): Promise<void> {
    this.#links = links
    this.#worker = await startWorker({ backendURL: links.join(','), timeoutSeconds: this.#patienceSeconds })
  }

  /** Resolves when all serve again. */
  async strike(kind: ProcessFault): Promise<void> {
    if (kind === 'kill worker') {
      await this.#worker.kill()
      return this.startWorker()
    }
    const which = this.#struck++ % this.#backends.length
    const backend = this.#backends[which]!
    switch (kind) {
      case 'kill backend':
        await backend.kill()
        return this.startBackend(which)
      case 'drain backend':
        await backend.stop()
        return this.startBackend(which)
      case 'stop backend':
        process.kill(backend.pid, 'SIGSTOP')
        await sleep(STOPPED_MS)
        return void process.kill(backend.pid, 'SIGCONT')
    }
  }

  /** Waits until every slot has come back and nobody is at work. @returns what is left, when it stays for `patienceMs` */
  async leftBehind(patienceMs: number): Promise<string | undefined> {
    const left = await Promise.all(this.#backends.map((backend) => leftAt(backend, performance.now() + patienceMs)))
    return left.find((state) => state !== undefined)
  }

  async stop(): Promise<void> {
    await this.#worker?.kill()
    await Promise.all(this.#backends.map((backend) => backend.kill()))
  }
}

async function leftAt({ url }: Server, deadline: number): Promise<string | undefined> {
  for (; ; await sleep(100)) {
    const response = await fetch(`${url}/health`)
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
