/** Real stored runs, read over connections that are cut at random places: nothing may be lost, and nothing come twice. */
import { isDeepStrictEqual } from 'node:util'
import { Lookahead } from '@lookahead/sdk'
import type { RunEvent, RunStream } from '@lookahead/sdk'
import { isTerminal } from '@lookahead/sdk/protocol'
import { pick, random } from '../faults/fault.ts'
import { soloRuns } from '../faults/runs.ts'
import type { Solo } from '../faults/runs.ts'
import { cuttingLink } from './cutting-link.ts'

export interface CutsOptions {
  workerURL: string
  /** Cuts in all, at least. */
  count: number
  seed: number
  /** Runs at the same time. */
  clients: number
  /** Different questions. */
  problems: number
  onProgress?: (line: string) => void
}

export interface CutsReport {
  cuts: number
  runs: number
  /** Times that a run was read: by who began it, and by who came later. */
  readings: number
  events: number
  seconds: number
  /** What must not be. */
  violations: string[]
}

/** Bytes that a connection lives at most; a run's events take some ten times as many. */
const MOST_BYTES = 3000
/** How many read a run that is over. */
const LATER = 4

export async function cuts({
  workerURL,
  count,
  seed,
  clients,
  problems,
  onProgress,
}: CutsOptions): Promise<CutsReport> {
  const next = random(seed)
  const solos = await soloRuns(workerURL, problems)
  const link = await cuttingLink(workerURL, () => Math.floor(next() * MOST_BYTES))
  const client = new Lookahead({ baseURL: link.url, maxRetries: 8 })
  const direct = new Lookahead({ baseURL: workerURL })
  const report: CutsReport = { cuts: 0, runs: 0, readings: 0, events: 0, seconds: 0, violations: [] }
  const started = performance.now()
  let told = 0
  const wrong = (what: string): void => {
    report.violations.push(what)
    onProgress?.(`WRONG: ${what}`)
  }

  async function oneRun(solo: Solo): Promise<void> {
    const readings = await readRun(client, solo, next)
    const [first] = readings[0]!
    const id = first?.type === 'run.started' ? first.run_id : ''
    const kept = await read(direct.runs.resume(id))
    report.runs++
    for (const events of readings) {
      report.readings++
      report.events += events.length
      const found = fault(events, kept, solo)
      if (found) wrong(`${found}: ${JSON.stringify(solo.request.lookahead)}, run ${id}`)
    }
    if (link.cuts - told >= 500) onProgress?.(`${(told = link.cuts)} cuts, ${report.runs} runs`)
  }

  try {
    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (link.cuts < count) await oneRun(pick(solos, next)).catch((error: unknown) => wrong(String(error)))
      }),
    )
  } finally {
    await link.close()
  }
  return { ...report, cuts: link.cuts, seconds: (performance.now() - started) / 1000 }
}

/** A run as others see it: who began it, who comes in while it goes on, who leaves in the middle and comes back, and those who read it afterwards. */
async function readRun(client: Lookahead, { request }: Solo, next: () => number): Promise<RunEvent[][]> {
  const began: RunEvent[] = []
  const others: Promise<RunEvent[]>[] = []
  for await (const event of client.runs.stream({ ...request, store: true })) {
    if (event.type === 'run.started') {
      others.push(read(client.runs.resume(event.run_id)), leaveAndReturn(client, event.run_id, Math.floor(next() * 30)))
      // They are looked at once this reading is over.
      for (const other of others) other.catch(() => undefined)
    }
    began.push(event)
  }
  const [{ run_id: id }] = began as [Extract<RunEvent, { type: 'run.started' }>]
  for (let i = 0; i < LATER; i++) others.push(read(client.runs.resume(id)))
  return [began, ...(await Promise.all(others))]
}

async function leaveAndReturn(client: Lookahead, id: string, most: number): Promise<RunEvent[]> {
  const seen: RunEvent[] = []
  for await (const event of client.runs.resume(id)) {
    seen.push(event)
    if (seen.length > most || isTerminal(event)) break
  }
  return [...seen, ...(await read(client.runs.resume(id, { startingAfter: seen.length - 1 })))]
}

async function read(run: RunStream): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const event of run) events.push(event)
  return events
}

/** What is wrong with a reading of a run, if anything. */
function fault(events: RunEvent[], kept: RunEvent[], { text, finishReason, tokens }: Solo): string | undefined {
  if (!isDeepStrictEqual(events, kept))
    return `${events.length} events were read, and others than the ${kept.length} stored`
  if (events.filter(isTerminal).length !== 1) return `${events.filter(isTerminal).length} terminal events`
  const said = events.map((event) => (event.type === 'text.delta' ? event.text : '')).join('')
  if (said !== text) return `another text: ${JSON.stringify(said)}, not ${JSON.stringify(text)}`
  const end = events.at(-1)
  const isRight =
    end?.type === 'run.completed' && end.finish_reason === finishReason && end.usage.completion_tokens === tokens
  return isRight ? undefined : `another end: ${JSON.stringify(end)}`
}
