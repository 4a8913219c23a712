/** Faults of the network, staged by msw under the real client. */
import { http, HttpResponse } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { completed, wire } from '../test/server.ts'
import { Lookahead } from './index.ts'
import type { RunEvent } from './index.ts'

const server = setupServer()
beforeAll(() => server.listen())
afterEach(() => server.resetHandlers())
afterAll(() => server.close())

const baseURL = 'http://lookahead.test'
const client = new Lookahead({ baseURL, maxRetries: 1 })
const ask = () => client.runs.stream({ prompt: 'x' }).final()
const stream = (text: string) => new HttpResponse(text, { headers: { 'content-type': 'text/event-stream' } })
const answers = (...responses: (() => Response)[]) =>
  server.use(http.post(`${baseURL}/v1/runs`, () => (responses.length > 1 ? responses.shift()! : responses[0]!)()))

it('comes through a server that cannot be reached for a moment', async () => {
  answers(
    () => HttpResponse.error(),
    () => stream(wire([completed])),
  )
  expect(await ask()).toMatchObject({ finish_reason: 'stop' })
})

it('comes through a server that is busy, as soon as Retry-After says', async () => {
  answers(
    () => new HttpResponse(null, { status: 429, headers: { 'retry-after': '0' } }),
    () => stream(wire([completed])),
  )
  expect(await ask()).toMatchObject({ finish_reason: 'stop' })
})

it('comes through a server that was too busy to let the run in, and said so only when the stream had begun', async () => {
  const failed = (code: string) => {
    const event: RunEvent = { type: 'run.failed', code, message: 'Busy.' }
    return () => stream(wire([event]))
  }
  answers(failed('overloaded'), () => stream(wire([completed])))
  expect(await ask()).toMatchObject({ finish_reason: 'stop' })
  answers(failed('overloaded'))
  await expect(ask()).rejects.toMatchObject({ kind: 'run_failed', code: 'overloaded' })
  answers(failed('context_length_exceeded'), () => stream(wire([completed])))
  await expect(ask()).rejects.toMatchObject({ kind: 'run_failed', code: 'context_length_exceeded' })
})

it('tells a server that stays away from one that stays broken', async () => {
  answers(() => HttpResponse.error())
  await expect(ask()).rejects.toMatchObject({ kind: 'connection', retryable: true })
  const error = { message: 'broken', type: 'server_error', param: null, code: 'internal_error' }
  answers(() => HttpResponse.json({ error }, { status: 500, headers: { 'x-request-id': 'req-1' } }))
  await expect(ask()).rejects.toMatchObject({ kind: 'api', status: 500, code: 'internal_error', requestId: 'req-1' })
})

it('never takes a page of a proxy for a run', async () => {
  answers(() => HttpResponse.html('<h1>Welcome</h1>'))
  await expect(ask()).rejects.toMatchObject({ kind: 'stream_interrupted' })
})
