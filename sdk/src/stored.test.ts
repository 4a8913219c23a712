/** Stored runs, of a server whose connections break where a script says. */
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { baseURL, events, script, staged, stopServer, wire } from '../test/server.ts'
import { Lookahead, LookaheadError } from './index.ts'
import type { RunEvent, RunStream, StoredRun } from './index.ts'
import { encodeEvent } from './protocol/index.ts'

afterAll(stopServer)
// Waiting is tested where it is done; here it shall be short.
beforeEach(() => void vi.spyOn(Math, 'min').mockReturnValue(1))

const client = new Lookahead({ baseURL })
const ask = (options = {}) => client.runs.stream({ prompt: 'x', store: true }, options)

/** Events from one on, as the server would send them. */
const from = (first: number, upTo = events.length) =>
  events
    .slice(first, upTo)
    .map((event, at) => encodeEvent(event, first + at))
    .join('')

const state: StoredRun = {
  id: 'run_1',
  object: 'run',
  status: 'cancelled',
  created_at: 1,
  expires_at: 2,
  last_event_id: 3,
  reasoning: '',
  answer: '',
  finish_reason: null,
  usage: null,
  error: { code: 'cancelled', message: '' },
}

async function read(run: RunStream): Promise<RunEvent[]> {
  const seen: RunEvent[] = []
  for await (const event of run) seen.push(event)
  return seen
}

const failed = (status: number, code: string) =>
  Response.json({ error: { message: 'm', type: 't', param: null, code } }, { status })

describe('a lost connection', () => {
  it('is made again wherever it breaks, and nothing is lost or comes twice', async () => {
    const half = from(2, 3).slice(0, 20)
    const { requests } = script(
      Response.error(),
      staged([from(0, 2), half]).response,
      failed(503, 'store_unavailable'),
      staged([from(2, 5), 'id: 5\nevent: x\ndata: {{\n\n']).response,
      staged([from(5, 7), from(8)]).response,
      staged([from(7)]).response,
    )
    const run = ask()
    expect(await read(run)).toEqual(events)
    expect((await run.final()).answer).toBe('The answer is 42.')
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v1/runs',
      'POST /v1/runs',
      'GET /v1/runs/run_1/events?starting_after=1',
      'GET /v1/runs/run_1/events?starting_after=1',
      'GET /v1/runs/run_1/events?starting_after=4',
      'GET /v1/runs/run_1/events?starting_after=6',
    ])
    const [key, again] = requests.map(({ headers }) => headers['idempotency-key'])
    expect(key).toMatch(/^[\d-]{7,}$/)
    expect(again).toBe(key)
  })

  it('that stays lost is told, with where the run can be taken up', async () => {
    script(staged([from(0, 4)]).response, ...Array.from({ length: 5 }, () => staged([]).response))
    const run = new Lookahead({ baseURL, maxRetries: 1 }).runs.stream({ prompt: 'x', store: true })
    const error: unknown = await read(run).catch((thrown: unknown) => thrown)
    if (!LookaheadError.isInstance(error) || error.kind !== 'stream_interrupted') throw error
    expect(error.lastEventId).toBe('3')
  })

  it('is no reason to ask for a run again that has failed, or is gone', async () => {
    const end: RunEvent = { type: 'run.failed', code: 'interrupted', message: 'm' }
    const { requests } = script(staged([wire([events[0]!, end])]).response)
    await expect(read(ask())).rejects.toMatchObject({ kind: 'run_failed', code: 'interrupted' })
    expect(requests).toHaveLength(1)
    script(staged([from(0, 2)]).response, failed(404, 'run_not_found'))
    await expect(read(ask())).rejects.toMatchObject({ kind: 'api', code: 'run_not_found' })
  })
})

describe('a run that is stored', () => {
  it('is read on from the event that is known, or whole', async () => {
    const { requests } = script(staged([from(4)]).response, staged([from(0)]).response)
    expect(await read(client.runs.resume('run_1', { startingAfter: 3 }))).toEqual(events.slice(4))
    expect((await client.runs.resume('run_1').final()).text).toContain('The answer is 42.')
    expect(requests.map(({ url }) => url)).toEqual(['/v1/runs/run_1/events?starting_after=3', '/v1/runs/run_1/events'])
  })

  it('that is over, and known to its end, has nothing more to read', async () => {
    script(new Response(null, { status: 204 }))
    const run = client.runs.resume('run_1', { startingAfter: 10 })
    expect(await read(run)).toEqual([])
    await expect(run.final()).rejects.toMatchObject({ kind: 'usage', code: 'already_read' })
  })

  it('is asked about and cancelled by its id', async () => {
    const { requests } = script(Response.json(state), Response.json(state))
    expect(await client.runs.retrieve('run/1')).toEqual(state)
    expect(await client.runs.cancel('run_1')).toEqual(state)
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /v1/runs/run%2F1',
      'POST /v1/runs/run_1/cancel',
    ])
  })

  it('goes on when it is left, and ends when it is cancelled', async () => {
    const left = staged([from(0, 2)], 'keepalive')
    const { requests } = script(left.response, staged([from(0, 2)], 'keepalive').response, Response.json(state))
    for await (const _ of ask()) break
    await expect.poll(() => left.closed).toBe(true)
    const run = ask()
    for await (const _ of run) run.cancel()
    await expect.poll(() => requests.length).toBe(3)
    expect(requests[2]).toMatchObject({ method: 'POST', url: '/v1/runs/run_1/cancel' })
    await expect(run.final()).rejects.toMatchObject({ kind: 'aborted' })
  })

  it('is found by its key and ended, where it is cancelled before its id is known', async () => {
    const { requests } = script(
      () => new Promise<Response>(() => undefined),
      staged([from(0, 1)], 'keepalive').response,
      Response.json(state),
    )
    const run = ask()
    const reading = read(run)
    await expect.poll(() => requests.length).toBe(1)
    run.cancel()
    expect(await reading).toEqual([])
    await expect.poll(() => requests.length).toBe(3)
    expect(requests[1]!.headers['idempotency-key']).toBe(requests[0]!.headers['idempotency-key'])
    expect(requests[2]!.url).toBe('/v1/runs/run_1/cancel')
  })

  it('is not begun where it is cancelled before it is read', async () => {
    const { requests } = script()
    const run = ask()
    run.cancel()
    expect(await read(run)).toEqual([])
    expect(requests).toHaveLength(0)
  })

  it('needs an id, and numbers of events', () => {
    const of = (param: string) => expect.objectContaining({ kind: 'usage', code: 'invalid_option', param })
    expect(() => client.runs.resume('')).toThrow(of('id'))
    expect(() => client.runs.resume('run_1', { startingAfter: 0.5 })).toThrow(of('startingAfter'))
  })
})
