/** Stored runs in real workerd, against a backend that does what a script says. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isTerminal } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { context } from './fake-backend.ts'
import type { Reply } from './fake-backend.ts'
import { end } from './play.ts'
import { eventsOf, folder, refusal, said, start } from './stored-worker.ts'
import type { Numbered } from './stored-worker.ts'

const half: Reply = { events: [context(), { type: 'delta', text: 'half' }], finally: 'hang' }

test('a stored run can be read again from any event on, and says how it ended', async () => {
  const worker = await start([end])
  const first = await eventsOf(await worker.start())
  const id = first[0]![1].type === 'run.started' ? first[0]![1].run_id : ''
  expect(first.map(([number]) => number)).toEqual(first.map((_, at) => at))
  expect(await worker.events(id)).toEqual(first)
  const { length } = first
  expect((await worker.ask(`/v1/runs/${id}/events?starting_after=${length - 1}`)).status).toBe(204)
  for (const [number] of first.slice(0, -1)) {
    expect(await worker.events(id, `?starting_after=${number}`)).toEqual(first.slice(number + 1))
    expect(await worker.events(id, '', { 'last-event-id': String(number) })).toEqual(first.slice(number + 1))
  }
  expect(await refusal(worker.ask(`/v1/runs/${id}/events?starting_after=${first.length}`))).toEqual([
    400,
    'invalid_request',
  ])
  expect(await refusal(worker.ask(`/v1/runs/${id}/events?starting_after=x`))).toEqual([400, 'invalid_request'])
  expect(await worker.state(id)).toMatchObject({
    id,
    status: 'completed',
    last_event_id: first.length - 1,
    answer: '\\boxed{3}',
    finish_reason: 'stop',
    error: null,
  })
})

describe('a run whose viewer has left', () => {
  test('goes on, where one that is not stored ends', async () => {
    const worker = await start([half, half])
    const id = await worker.leave()
    expect(await worker.state(id)).toMatchObject({ status: 'running', expires_at: null, finish_reason: null })
    await worker.leave({ body: { store: false } })
    await expect.poll(() => worker.fake.left).toBe(1)
    await expect.poll(async () => (await worker.state(id)).answer + (await worker.state(id)).reasoning).toBe('half')
    expect(worker.fake.left).toBe(1)
  })

  test('is followed by others, each as fast as it reads, and stops when it is cancelled', async () => {
    const worker = await start([half])
    const id = await worker.leave()
    const [idle, ...followers] = await Promise.all([1, 2, 3].map(() => worker.ask(`/v1/runs/${id}/events`)))
    const followed = followers.map((response) => eventsOf(response))
    const cancelled = await worker.ask(`/v1/runs/${id}/cancel`, { method: 'POST' })
    expect(await cancelled.json()).toMatchObject({ id, status: 'cancelled', error: { code: 'cancelled' } })
    await expect.poll(() => worker.fake.left).toBe(1)
    await expect.poll(() => worker.fake.released).toHaveLength(1)
    const all = await worker.events(id)
    expect(all.filter(([, event]) => isTerminal(event))).toEqual([all.at(-1)])
    expect(all.at(-1)![1]).toMatchObject({ type: 'run.failed', code: 'cancelled' })
    expect(said(all)).toBe('half')
    expect(await Promise.all(followed)).toEqual([all, all])
    expect(await eventsOf(idle!)).toEqual(all)
    const again = await worker.ask(`/v1/runs/${id}/cancel`, { method: 'POST' })
    expect(await again.json()).toEqual(await worker.state(id))
  })

  test('is its viewers’ to ask for, and not to read: nobody holds it, nor its place', async () => {
    const worker = await start([half, end], { MAX_RUNS: '1' })
    const id = await worker.leave()
    const unread = await Promise.all([1, 2].map(() => worker.ask(`/v1/runs/${id}/events`)))
    for (const { body } of unread) await body!.cancel()
    expect([(await worker.state(id)).status, worker.fake.left]).toEqual(['running', 0])
    expect(await refusal(worker.start())).toEqual([429, 'too_many_runs'])
    await worker.ask(`/v1/runs/${id}/cancel`, { method: 'POST' })
    await expect.poll(() => [worker.fake.left, worker.fake.released.length]).toEqual([1, 1])
    const events = await eventsOf(await worker.start())
    expect(events.at(-1)![1].type).toBe('run.completed')
  })

  test('goes on where its object is lost, from the tokens that were said', async () => {
    const persist = await folder()
    const thought: Reply = { events: [context(), { type: 'delta', text: 'half', tokens: [1, 2] }], finally: 'hang' }
    const first = await start([thought], {}, { persist })
    const id = await first.leave()
    await expect.poll(async () => (await first.state(id)).last_event_id).toBe(1)
    await first.stop()
    const second = await start([end], {}, { persist })
    const events = await second.events(id)
    expect(events.map(([number, event]) => [number, event.type])).toEqual([
      [0, 'run.started'],
      [1, 'text.delta'],
      [2, 'run.waiting'],
      [3, 'text.delta'],
      [4, 'run.completed'],
    ])
    expect(events[2]![1]).toMatchObject({ code: 'interrupted' })
    expect(second.fake.calls.map(({ body }) => body.context)).toEqual([{ id, prompt: 'x', output: [1, 2] }])
    expect(await second.state(id)).toMatchObject({
      status: 'completed',
      reasoning: 'half',
      answer: '\\boxed{3}',
      usage: { completion_tokens: 3 },
    })
  })

  test('stops when it is cancelled, also where its object was lost', async () => {
    const persist = await folder()
    const thought: Reply = { events: [context(), { type: 'delta', text: 'half', tokens: [1] }], finally: 'hang' }
    const first = await start([thought], {}, { persist })
    const id = await first.leave()
    await expect.poll(async () => (await first.state(id)).last_event_id).toBe(1)
    await first.stop()
    const second = await start([thought], {}, { persist })
    const followed = second.events(id)
    await expect.poll(async () => (await second.state(id)).reasoning).toBe('halfhalf')
    await second.ask(`/v1/runs/${id}/cancel`, { method: 'POST' })
    expect((await followed).at(-1)![1]).toMatchObject({ type: 'run.failed', code: 'cancelled' })
    await expect.poll(() => second.fake.left).toBe(1)
  })

  test('ends in one terminal event where its object is lost, and nobody told its tokens', async () => {
    const persist = await folder()
    const first = await start([half], {}, { persist })
    const id = await first.leave()
    await expect.poll(async () => (await first.state(id)).last_event_id).toBe(1)
    await first.stop()
    const second = await start([], {}, { persist })
    const events = await second.events(id)
    expect(events.map(([number, event]) => [number, event.type])).toEqual([
      [0, 'run.started'],
      [1, 'text.delta'],
      [2, 'run.failed'],
    ])
    expect(await second.state(id)).toMatchObject({ status: 'failed', error: { code: 'interrupted' } })
    expect(await second.events(id, '?starting_after=1')).toEqual(events.slice(2))
  })

  test('is deleted when it expires', async () => {
    const worker = await start([end], { RUN_RETENTION_SECONDS: '1' })
    const [[, first]] = (await eventsOf(await worker.start())) as [Numbered]
    const { run_id: id } = first as Extract<RunEvent, { type: 'run.started' }>
    await expect.poll(async () => (await worker.ask(`/v1/runs/${id}`)).status).toBe(404)
    expect(await refusal(worker.ask(`/v1/runs/${id}/events`))).toEqual([404, 'run_not_found'])
  })
})

describe('the same Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'once' }

  test('is the same run, also at the same time, and no other request', async () => {
    const worker = await start([end])
    const asked = await Promise.all([worker.start({ headers }), worker.start({ headers })])
    const [one, other] = await Promise.all(asked.map((response) => eventsOf(response)))
    expect(other).toEqual(one)
    expect(await eventsOf(await worker.start({ headers }))).toEqual(one)
    expect(worker.fake.calls).toHaveLength(1)
    expect(await refusal(worker.start({ headers, body: { max_tokens: 3 } }))).toEqual([422, 'idempotency_key_reused'])
  })

  test('may be tried again after a refusal, of which nothing is kept', async () => {
    const worker = await start([{ status: 400, code: 'invalid_request' }, end])
    expect(await refusal(worker.start({ headers }))).toEqual([400, 'invalid_request'])
    const events = await eventsOf(await worker.start({ headers }))
    expect(events.at(-1)![1].type).toBe('run.completed')
  })

  test('must be one, of a run that is stored', async () => {
    const worker = await start([])
    expect(await refusal(worker.start({ headers, body: { store: false } }))).toEqual([400, 'invalid_request'])
    expect(await refusal(worker.start({ headers: { 'idempotency-key': 'a b' } }))).toEqual([400, 'invalid_request'])
  })
})

test('a stored run is its key’s alone, and other ids are none', async () => {
  const worker = await start([end], { API_KEY: 'secret' })
  const headers = { authorization: 'Bearer secret' }
  const id = await worker.leave({ headers })
  expect((await worker.state(id, { headers })).id).toBe(id)
  expect(await refusal(worker.ask(`/v1/runs/${id}`))).toEqual([401, 'invalid_api_key'])
  const missing = [`/v1/runs/${crypto.randomUUID()}`, '/v1/runs/x', `/v1/runs/${crypto.randomUUID()}/events`]
  for (const one of missing) expect(await refusal(worker.ask(one, { headers }))).toEqual([404, 'run_not_found'])
})

test('where the operator has taken the object away, only runs that are not stored are served', async () => {
  const root = new URL('../../', import.meta.url).pathname
  const config = path.join(await folder(), 'wrangler.toml')
  const text = await readFile(path.join(root, 'wrangler.toml'), 'utf8')
  const without = text
    .replaceAll(/\[\[[\w.]*durable_objects.bindings\]\]\nname = "RUNS"\n.*\n/g, '')
    .replace('worker/src', `${root}worker/src`)
  await writeFile(config, without)
  const worker = await start([end], {}, { config })
  expect(await refusal(worker.start())).toEqual([500, 'not_configured'])
  const events = await eventsOf(await worker.start({ body: { store: false } }))
  expect(events.at(-1)![1].type).toBe('run.completed')
})
