/** Two real backends behind one worker, of which one is killed in the middle of runs. */
import { modes } from '@lookahead/sdk/protocol'
import { Lookahead } from '@lookahead/sdk'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startBackend, startWorker } from '../launcher/index.ts'
import type { Server } from '../launcher/index.ts'
import { about } from './ask.ts'
import type { BackendHealth } from './ask.ts'
import { doctor } from './command.ts'

let backends: Server[] = []
let worker: Server
let client: Lookahead

beforeAll(async () => {
  backends = await Promise.all([startBackend(), startBackend()])
  worker = await startWorker({ backendURL: backends.map(({ url }) => url).join(',') })
  client = new Lookahead({ baseURL: worker.url, maxRetries: 0 })
})
afterAll(async () => {
  await worker?.stop()
  await Promise.all(backends.map((backend) => backend.stop()))
})

const healthOf = async ({ url }: Server): Promise<BackendHealth> =>
  (await (await fetch(`${url}/health`)).json()) as BackendHealth

interface Ran {
  text: string
  places: number[]
  waiting: RunEvent[]
  degraded: RunEvent[]
}

async function run(request: RunRequestInput, onText: () => void = () => undefined): Promise<Ran> {
  const stream = client.runs.stream(request)
  const ran: Ran = { text: '', places: [], waiting: [], degraded: [] }
  for await (const event of stream) {
    if (event.type === 'text.delta') onText()
    if (event.type === 'run.waiting') ran.waiting.push(event)
    if (event.type === 'run.degraded') ran.degraded.push(event)
  }
  const { text, steps } = await stream.final()
  return { ...ran, text, places: steps.map(({ step }) => step) }
}

const greedy = modes.flatMap((mode) =>
  [true, false].map((pipelined) => about(1, { lookahead: { mode, pipelined, verifier: 'exact' }, max_tokens: 120 })),
)
const seeded = about(2, { lookahead: { mode: 'ar' }, sampling: { temperature: 0.8, seed: 11 }, max_tokens: 120 })
const stored = about(1, { lookahead: { mode: 'lr+sd', verifier: 'exact' }, max_tokens: 120, store: true })
const all = [...greedy, seeded, stored]

it('runs of a backend that is killed go on at the other one at once, word for word as alone; one event tells', async () => {
  const [alone, aloneSeeded] = [(await run(greedy[0]!)).text, (await run(seeded)).text]
  const { pools } = await healthOf(backends[1]!)

  const begun = Promise.withResolvers<void>()
  const talking = new Set<number>()
  const running = Promise.all(
    all.map((request, i) => run(request, () => talking.add(i).size === all.length && begun.resolve())),
  )
  await Promise.race([begun.promise, running])
  const shares = await Promise.all(backends.map(async (backend) => (await healthOf(backend)).contexts))
  await backends[0]!.kill()
  const runs = await running

  for (const [i, { text, places, waiting, degraded }] of runs.entries()) {
    const request = JSON.stringify(all[i])
    expect(text, request).toBe(all[i] === seeded ? aloneSeeded : alone)
    expect(places, request).toEqual([...new Set(places)].toSorted((a, b) => a - b))
    expect(degraded, request).toEqual([])
    expect(waiting.length, request).toBeLessThanOrEqual(1)
    if (waiting[0]) expect(waiting[0]).toMatchObject({ message: expect.stringMatching(/goes on at another$/) })
  }
  const moved = runs.filter(({ waiting }) => waiting.length > 0)
  // Both were at work, and only one's runs had to move.
  expect(Math.min(...shares)).toBeGreaterThan(0)
  expect(moved.length).toBeGreaterThan(0)
  expect(moved.length).toBeLessThan(all.length)
  await expect.poll(() => healthOf(backends[1]!)).toMatchObject({ running: 0, contexts: 0, pools })
})

it('the worker is well as long as one of them is, and says so; new runs are served', async () => {
  expect(await client.health()).toEqual({ status: 'ok', backend: 'ok' })
  const details: unknown = await (await fetch(`${worker.url}/health?details`)).json()
  expect(details).toMatchObject({ status: 'ok', backends: ['unreachable', 'ok'] })
  const { findings } = await doctor(worker.url)
  expect(findings.filter(({ check }) => check.startsWith('backend'))).toMatchObject([
    { check: 'backend', state: 'ok' },
    { check: 'backends', state: 'warning', told: '1 of 2: unreachable; runs go to the others' },
  ])
  expect((await client.models.list()).data).toMatchObject([{ id: 'target' }])
  expect(await run(about(1, { max_tokens: 20 }))).toMatchObject({ waiting: [], degraded: [] })
})
