/**
 * The object that keeps a run is lost, at each point of the run: workerd is stopped, what is on disk is put to where it was at that
 * point, and another workerd goes on. One run a point, all under the same two.
 */
import { isTerminal } from '@lookahead/sdk/protocol'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Disk } from './disk.ts'
import { context, fakeBackend } from './fake-backend.ts'
import type { FakeBackend, Reply } from './fake-backend.ts'
import { end } from './play.ts'
import { startWorkerd } from './start-workerd.ts'
import { Worker, eventsOf, folder, numbered, said } from './stored-worker.ts'
import type { Numbered } from './stored-worker.ts'

const delta = { type: 'delta', text: 'half', tokens: [1, 2] }
const commit = { type: 'commit', accepted: 0, steps: 1, text: 'half', tokens: [1, 2], correction: 'half' }
const letIn: Reply = { events: [context()], finally: 'hang' }
const thought: Reply = { events: [context(), delta], finally: 'hang' }
const committed: Reply = { events: [context(), delta, { ...commit, finish_reason: 'stop' }], finally: 'hang' }

/** The run of each point, and what the engine does with it before the loss. */
const points = {
  accepted: thought,
  started: letIn,
  midway: thought,
  unwatched: thought,
  cancelled: thought,
  halted: thought,
  committed,
  ended: end,
  expired: end,
  lostOften: thought,
  lostTooOften: thought,
} satisfies Record<string, Reply>
type Point = keyof typeof points

const ids = {} as Record<Point, string>
const before = {} as Record<Point, Numbered[]>
const close: (() => PromiseLike<unknown>)[] = []
let fake: FakeBackend
let worker: Worker

async function workerOn(persist: string, script: Reply[]): Promise<Worker> {
  fake = await fakeBackend(script)
  const workerd = await startWorkerd({ BACKEND_URL: fake.url }, { persist })
  close.push(fake[Symbol.asyncDispose].bind(fake), () => workerd.dispose())
  return new Worker(fake, await workerd.url, () => workerd.dispose())
}

/** The events that are stored. */
async function byNow(of: Worker, id: string): Promise<Numbered[]> {
  const { last_event_id: last } = await of.state(id)
  const events: Numbered[] = []
  for await (const event of numbered(await of.ask(`/v1/runs/${id}/events`))) {
    events.push(event)
    if (event[0] === last) break
  }
  return events
}

const until = (is: () => boolean | Promise<boolean>) => vi.waitUntil(is, { timeout: 30_000 })

const headers = { 'idempotency-key': 'not-let-in' }

beforeAll(async () => {
  const persist = await folder((remove) => close.push(remove))
  const first = await workerOn(persist, [...Object.values(points), 'silence'])
  for (const point of Object.keys(points) as Point[]) {
    ids[point] = await first.leave()
    const last = points[point] === letIn ? 0 : 1
    await until(async () => (await first.state(ids[point])).last_event_id >= last)
  }
  for (const point of ['ended', 'expired'] as const)
    await until(async () => (await first.state(ids[point])).status === 'completed')
  for (const point of Object.keys(points) as Point[]) before[point] = await byNow(first, ids[point])
  await first.ask(`/v1/runs/${ids.halted}/cancel`, { method: 'POST' })
  // Not awaited: the engine never lets it in.
  void first.start({ headers }).catch(() => undefined)
  await until(() => first.fake.calls.length > Object.keys(points).length)
  // Whether it is still stored is chance.
  void first.ask(`/v1/runs/${ids.cancelled}/cancel`, { method: 'POST' }).catch(() => undefined)
  await first.stop()

  const disks = Object.fromEntries(Object.entries(ids).map(([point, id]) => [point, new Disk(persist, id)]))
  const { accepted, midway, unwatched, halted, ended, expired, lostOften, lostTooOften } = disks as Record<Point, Disk>
  accepted.dropEvents()
  unwatched.wake()
  // The wish is there, and nothing of what came of it.
  halted.dropEvents()
  halted.put('endedAt', undefined)
  halted.copy('order', midway)
  // Its terminal event is there, and nothing that comes after it.
  for (const over of [ended, expired]) over.copy('order', midway)
  expired.put('endedAt', Date.now() - 2 * 3_600_000)
  expired.wake()
  lostOften.put('losses', 4)
  lostTooOften.put('losses', 5)

  worker = await workerOn(
    persist,
    Array.from({ length: 20 }, () => end),
  )
})
afterAll(async () => {
  for (const one of close.toReversed()) await one()
})

const types = (events: readonly Numbered[]): string[] => events.map(([, { type }]) => type)
/** Texts that the engine was asked to write after the loss. */
const asked = (point: Point) => fake.calls.filter(({ body }) => body.context['id'] === ids[point])

test('before the engine has let the run in: nothing is kept, and the same key may begin it', async () => {
  const events = await eventsOf(await worker.start({ headers }))
  expect(types(events)).toEqual(['run.started', 'text.delta', 'run.completed'])
})

test('after it was accepted, before its first event: it begins', async () => {
  const events = await worker.events(ids.accepted)
  expect(types(events)).toEqual(['run.started', 'text.delta', 'run.completed'])
  expect(asked('accepted').map(({ body }) => body.context)).toEqual([{ id: ids.accepted, prompt: 'x', output: [] }])
})

test('after it has started, before its first token: it goes on, and has started once', async () => {
  const events = await worker.events(ids.started)
  expect(types(events)).toEqual(['run.started', 'run.waiting', 'text.delta', 'run.completed'])
  expect(asked('started').map(({ body }) => body.context)).toEqual([{ id: ids.started, prompt: 'x', output: [] }])
})

test('midway: it goes on from its tokens, and who reads again after an event gets what comes after it', async () => {
  const events = await worker.events(ids.midway)
  expect(types(events)).toEqual(['run.started', 'text.delta', 'run.waiting', 'text.delta', 'run.completed'])
  expect(events.slice(0, 2)).toEqual(before.midway)
  expect(asked('midway').map(({ body }) => body.context)).toEqual([{ id: ids.midway, prompt: 'x', output: [1, 2] }])
  expect(await worker.events(ids.midway, '', { 'last-event-id': '1' })).toEqual(events.slice(2))
})

test('while nobody watches: it goes on by itself', async () => {
  await expect.poll(() => asked('unwatched').length, { timeout: 10_000 }).toBe(1)
  await expect.poll(async () => (await worker.state(ids.unwatched)).status).toBe('completed')
})

test('while it is being cancelled: it ends in one terminal event, at the latest when it is cancelled again', async () => {
  const again = await worker.ask(`/v1/runs/${ids.cancelled}/cancel`, { method: 'POST' })
  expect(['cancelled', 'completed']).toContain(((await again.json()) as { status: string }).status)
  const events = await worker.events(ids.cancelled)
  expect(events.filter(([, event]) => isTerminal(event))).toEqual([events.at(-1)])
  expect(events.slice(0, 2)).toEqual(before.cancelled)
})

test('after its cancel was heard, before its terminal event: it ends, and the engine is not asked', async () => {
  expect(await worker.state(ids.halted)).toMatchObject({ status: 'cancelled', expires_at: expect.any(Number) })
  expect(types(await worker.events(ids.halted))).toEqual(['run.failed'])
  expect(asked('halted')).toEqual([])
})

test('after its last token, before its terminal event: it ends, and the engine is not asked', async () => {
  const events = await worker.events(ids.committed)
  expect(said(events)).toBe('half')
  expect(types(events).filter((type) => type !== 'text.delta')).toEqual(['run.started', 'run.completed'])
  expect(asked('committed')).toEqual([])
})

test('after its terminal event: it is as it was, and the engine is not asked', async () => {
  expect(await worker.events(ids.ended)).toEqual(before.ended)
  expect(await worker.state(ids.ended)).toMatchObject({ status: 'completed', expires_at: expect.any(Number) })
  expect(asked('ended')).toEqual([])
})

test('after its terminal event, before it was said when it expires: it expires all the same', async () => {
  await expect.poll(async () => (await worker.ask(`/v1/runs/${ids.expired}`)).status, { timeout: 10_000 }).toBe(404)
})

test('while it is being taken up: it is taken up again', async () => {
  expect(types(await worker.events(ids.lostOften)).at(-1)).toBe('run.completed')
})

test('too often, since it may be what its objects are lost of: it ends in one terminal event', async () => {
  const events = await worker.events(ids.lostTooOften)
  expect(types(events)).toEqual(['run.started', 'text.delta', 'run.failed'])
  expect(events.at(-1)![1]).toMatchObject({ code: 'interrupted' })
  expect(asked('lostTooOften')).toEqual([])
})
