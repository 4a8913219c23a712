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

describe('a run that fails before any of its text', () => {
  const failedWith = (code: string): RunEvent => ({ type: 'run.failed', code, message: 'm' })
  const started = (run_id: string): RunEvent => ({ ...events[0]!, run_id }) as RunEvent
  const waiting: RunEvent = { type: 'run.waiting', code: 'target_unavailable', message: 'm' }
  const away = () => staged([wire([events[0]!, waiting, failedWith('target_unavailable')])]).response

  it('is begun anew, as another run, and the loop sees no failure', async () => {
    const second = started('run_2')
    const { requests } = script(
      away(),
      Response.error(),
      staged([wire([second, ...events.slice(1, 4)])]).response,
      staged([from(4)]).response,
    )
    const run = ask()
    expect(await read(run)).toEqual([events[0], waiting, second, ...events.slice(1)])
    expect((await run.final()).answer).toBe('The answer is 42.')
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v1/runs',
      'POST /v1/runs',
      'POST /v1/runs',
      'GET /v1/runs/run_2/events?starting_after=3',
    ])
    const [first, ...again] = requests.slice(0, 3).map(({ headers }) => headers['idempotency-key'])
    expect(again[0]).toBe(again[1])
    expect(again[0]).not.toBe(first)
  })

  it('as often as maxRetries says', async () => {
    const { requests } = script(away(), away(), away())
    const run = new Lookahead({ baseURL, maxRetries: 1 }).runs.stream({ prompt: 'x', store: true })
    await expect(read(run)).rejects.toMatchObject({ kind: 'run_failed', code: 'target_unavailable' })
    expect(requests).toHaveLength(2)
  })

  it.each([
    ['when somebody has cancelled it', () => ask(), [events[0]!, failedWith('cancelled')]],
    ['when it would fail again', () => ask(), [events[0]!, failedWith('context_length_exceeded')]],
    ['when text is out', () => ask(), [...events.slice(0, 5), failedWith('target_unavailable')]],
    ['when a step was ruled on', () => ask(), [...events.slice(0, 4), failedWith('target_unavailable')]],
    ['when it is only read', () => client.runs.resume('run_1'), [events[0]!, failedWith('target_unavailable')]],
  ])('is not begun anew %s', async (_, open, told) => {
    const { requests } = script(staged([wire(told)]).response)
    await expect(read(open())).rejects.toMatchObject({ kind: 'run_failed' })
    expect(requests).toHaveLength(1)
  })

  it('is not begun anew once the call is left', async () => {
    const { requests } = script(away(), Response.json(state))
    const run = ask()
    for await (const { type } of run) if (type === 'run.waiting') run.cancel()
    await expect.poll(() => requests.map(({ url }) => url)).toEqual(['/v1/runs', '/v1/runs/run_1/cancel'])
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
