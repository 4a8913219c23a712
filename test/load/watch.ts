/** What is seen of a backend from outside while it works: its health, its memory, its log. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { quantile, sum } from '../bench/statistics.ts'
import type { Server } from '../launcher/index.ts'
import { residentMemory } from './memory.ts'

const Slots = v.object({ total: v.number(), free: v.number() })
const Health = v.object({ pools: v.record(v.string(), Slots), contexts: v.number(), running: v.number() })
export type Health = v.InferOutput<typeof Health>

const INTERVAL_MS = 1000
/** A backend that says nothing for so long will say nothing any more. */
const HANGING_MS = 300_000
/** Growth that is forgiven, as a part of the memory. */
const MOST_GROWTH = 0.1
/**
 * Fewer samples than this in each fifth of the time say nothing of memory, which grows at first: a pool's pages come with
 * their first use (7 KiB a token of the demo target and draft together, up to the memory they are given), and the heap gets as
 * large as V8 lets it. Measured with 48 texts at a time on 6,000 slots for four minutes, collecting garbage every 10 s: the
 * resident memory goes from 364 to 434 MiB in the first 50 s, of which 60 are V8's own reserve, and then to 444; the heap
 * in use stays at 16 MiB and what is native between 271 and 285.
 */
const FEWEST_SAMPLES = 20

export interface WatchOptions {
  /** `/health` must answer within this time. Default: whenever it does. */
  healthMs?: number | undefined
  onViolation: (what: string) => void
}

export class Watch {
  health: Health | undefined
  /** The longest that `/health` took, in milliseconds. */
  slowestMs = 0
  /** Resident memory each second, in MiB; empty where the system does not tell. */
  readonly memory: number[] = []
  readonly #server: Server
  readonly #options: WatchOptions
  readonly #ended = new AbortController()
  readonly #done: Promise<void>

  constructor(server: Server, options: WatchOptions) {
    this.#server = server
    this.#options = options
    this.#done = this.#watch()
  }

  /** Medians of the second and the last fifth, in MiB; undefined when there are too few samples. */
  get growth(): { from: number; to: number } | undefined {
    const fifth = Math.floor(this.memory.length / 5)
    if (fifth < FEWEST_SAMPLES) return undefined
    return { from: quantile(this.memory.slice(fifth, 2 * fifth), 0.5), to: quantile(this.memory.slice(-fifth), 0.5) }
  }

  /** Stops watching, and says what the whole time shows. */
  async end(): Promise<void> {
    this.#ended.abort()
    await this.#done
    const { growth } = this
    if (growth && growth.to > growth.from * (1 + MOST_GROWTH))
      this.#options.onViolation(`memory grew from ${growth.from.toFixed(0)} to ${growth.to.toFixed(0)} MiB`)
  }

  async #watch(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.#askHealth()
      const memory = await residentMemory(this.#server.pid)
      if (memory !== undefined) this.memory.push(memory)
      const trace = this.#server.log.findIndex((line) => /^\s+at \S/.test(line))
      if (trace >= 0)
        this.#options.onViolation(`stack trace: ${this.#server.log.slice(Math.max(trace - 1, 0)).join('\n')}`)
      await sleep(INTERVAL_MS, undefined, { signal: this.#ended.signal }).catch(() => undefined)
    }
  }

  async #askHealth(): Promise<void> {
    const { healthMs, onViolation } = this.#options
    const started = performance.now()
    try {
      this.health = await readHealth(this.#server.url)
    } catch (error) {
      onViolation(`/health: ${String(error)}`)
    }
    const ms = performance.now() - started
    this.slowestMs = Math.max(this.slowestMs, ms)
    if (healthMs !== undefined && ms > healthMs) onViolation(`/health took ${ms.toFixed(0)} ms`)
  }
}

/** Nothing may hold on to anything once all clients are gone. @returns what is left, when it stays for `patienceMs` */
export async function untilIdle(url: string, patienceMs: number): Promise<string | undefined> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const { pools, contexts, running } = await readHealth(url)
    const held = Object.entries(pools).filter(([, { total, free }]) => free < total)
    if (held.length === 0 && contexts === 0 && running === 0) return undefined
    if (performance.now() > deadline) {
      const slots = held.map(([role, { total, free }]) => `${total - free} slots of ${role}`)
      return [`${running} requests`, `${contexts} contexts`, ...slots].join(', ')
    }
    await sleep(100)
  }
}

/** Of all models, since the backend started. */
export async function countPreemptions(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return sum([...metrics.matchAll(/^lookahead:num_preemptions_total\S* (\d+)$/gm)].map(([, count]) => Number(count)))
}

async function readHealth(url: string): Promise<Health> {
  const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(HANGING_MS) })
  return v.parse(Health, await response.json())
}
