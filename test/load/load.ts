/** Many clients at once on one backend: every answer must be the one it gives alone, and nothing may be left behind. */
import { startBackend } from '../launcher/index.ts'
import { Client } from './client.ts'
import type { Answer } from './client.ts'
import { judge } from './exactness.ts'
import { createRequests } from './requests.ts'
import type { Kind, LoadRequest } from './requests.ts'
import { Rush } from './rush.ts'
import type { RushOptions } from './rush.ts'
import { Watch, countPreemptions, untilIdle } from './watch.ts'

export interface LoadOptions extends RushOptions {
  /** Different requests, each made once alone beforehand. Default 60. */
  requests?: number
  /** Token slots of each model. Default: the backend's. */
  slots?: number | undefined
  /** `/health` must answer within this time. Default: whenever it does. */
  healthMs?: number
  /** Told about every 10 s. */
  onProgress?: (line: string) => void
}

export interface Report {
  seconds: number
  /** Complete answers of each kind. */
  done: Record<Kind, number>
  /** Requests that clients gave up, and times that the backend had no room. */
  left: number
  refused: number
  /** Times that a text had to give its slots back for a while. */
  preempted: number
  /** Of complete answers. */
  tokensPerSecond: number
  slowestHealthMs: number
  /** Medians of the second and the last fifth of the time, in MiB; null where that was not to be had. */
  memory: { from: number; to: number } | null
  /** Answers that are not those given alone, each for two logits within rounding of each other. */
  nearTies: string[]
  /** What must not be, in the order it was seen. */
  violations: string[]
}

const PROGRESS_MS = 10_000
/** An abandoned context is dropped after this time; what is still held the other time after the load was lost. */
const CONTEXT_IDLE_SECONDS = 10
const IDLE_PATIENCE_MS = 600_000

/** @throws {Error} when the backend does not start, or fails a request that is alone */
export async function load(options: LoadOptions): Promise<Report> {
  const backend = await startBackend({
    contextIdleSeconds: CONTEXT_IDLE_SECONDS,
    ...(options.slots === undefined ? {} : { slots: options.slots }),
  })
  try {
    const alone = await answerAlone(backend.url, createRequests(options.requests ?? 60, options.seed))
    options.onProgress?.(`${alone.size} requests answered alone`)

    const rush = new Rush(backend.url, alone, options)
    const watch = new Watch(backend, { healthMs: options.healthMs, onViolation: (what) => rush.violate(what) })
    const progress = setInterval(() => options.onProgress?.(progressLine(rush, watch)), PROGRESS_MS)
    await rush.run()
    clearInterval(progress)
    const held = await untilIdle(backend.url, IDLE_PATIENCE_MS).catch(String)
    if (held !== undefined) rush.violate(`still there after all clients left: ${held}`)
    await watch.end()
    const preempted = await countPreemptions(backend.url)

    const nearTies: string[] = []
    for (const mismatch of rush.mismatches) {
      const { isNearTie, description } = await judge(backend.url, mismatch)
      if (isNearTie) nearTies.push(description)
      else rush.violate(description)
    }
    const { seconds, done, left, refused, tokens, violations } = rush
    const slowestHealthMs = watch.slowestMs
    const memory = watch.growth ?? null
    return {
      seconds,
      done,
      left,
      refused,
      preempted,
      tokensPerSecond: tokens / seconds,
      slowestHealthMs,
      memory,
      nearTies,
      violations,
    }
  } finally {
    await backend.stop()
  }
}

async function answerAlone(baseURL: string, requests: LoadRequest[]): Promise<Map<LoadRequest, Answer>> {
  const client = new Client({ baseURL })
  const answers = new Map<LoadRequest, Answer>()
  for (const request of requests) answers.set(request, (await client.send(request))![0]!)
  return answers
}

function progressLine({ answered, refused, left, tokens, seconds }: Rush, { memory, health }: Watch): string {
  const slots = Object.entries(health?.pools ?? {}).map(([role, { free, total }]) => `${role} ${free}/${total}`)
  return [
    `${answered} done, ${refused} refused, ${left} left`,
    `${(tokens / seconds).toFixed(0)} tokens/s`,
    `${memory.at(-1)?.toFixed(0) ?? '?'} MiB`,
    `free slots: ${slots.join(', ')}`,
  ].join('   ')
}
