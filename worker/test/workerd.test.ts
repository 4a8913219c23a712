/** The built worker in real workerd, against a backend that does what a script says. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { RunEvent, encodeEvent, readEvents } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test } from 'vitest'
import { commits, context, drafts, fakeBackend } from './fake-backend.ts'
import type { FakeBackend, Reply } from './fake-backend.ts'
import { end } from './play.ts'
import { startWorkerd } from './start-workerd.ts'

async function start(script: Reply[], secrets: Record<string, string> = {}): Promise<{ url: URL; fake: FakeBackend }> {
  const fake = await fakeBackend(script)
  onTestFinished(() => fake[Symbol.asyncDispose]())
  return { url: await worker({ BACKEND_URL: fake.url, ...secrets }), fake }
}

async function worker(vars: Record<string, string>): Promise<URL> {
  const started = await startWorkerd(vars)
  onTestFinished(() => started.dispose())
  return started.url
}

const post = (url: URL, body: unknown, { path = '/v1/runs', ...init }: RequestInit & { path?: string } = {}) =>
  fetch(new URL(path, url), {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  })

test('a run streams as typed events with ids from 0, and one terminal event', async () => {
  const last = commits([[true, 'exact']], {
    text: 'a\n\n</think>\n\n3',
    tokens: [1],
    correction: '</think>\n\n3',
    finish: 'stop',
  })
  const { url } = await start([drafts('a\n\n'), last])
  const question = { messages: [{ role: 'user', content: 'x' }], lookahead: { pipelined: false } }
  const response = await post(url, question)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  const events: v.InferOutput<typeof RunEvent>[] = []
  for await (const { id, event, data } of readEvents(response.body!)) {
    expect(id).toBe(String(events.length))
    events.push(v.parse(RunEvent, JSON.parse(data)))
    expect(events.at(-1)!.type).toBe(event)
  }
  expect(events.map((event) => event.type)).toEqual([
    'run.started',
    'step.drafted',
    'step.accepted',
    'text.delta',
    'text.delta',
    'step.corrected',
    'run.completed',
  ])
})

describe('the client leaving', () => {
  const leave = async (script: Reply[], secrets?: Record<string, string>) => {
    const { url, fake } = await start(script, secrets)
    const abort = new AbortController()
    const read = async () => {
      const response = await post(url, { prompt: 'x', lookahead: { mode: 'ar' } }, { signal: abort.signal })
      return response.text()
    }
    const reading = read()
    const left = expect(reading).rejects.toThrow('abort')
    await expect.poll(() => fake.calls.length).toBe(1)
    abort.abort()
    await left
    return fake
  }
  /** Else a run would soon give up by itself. */
  const patient = { BACKEND_TIMEOUT_SECONDS: '3600' }
  const half = [context(), { type: 'delta', text: 'half' }]

  test.each<[string, Reply]>([
    ['has fallen silent', { events: half, finally: 'hang' }],
    ['sends only comments', { events: half, finally: 'hang', keepaliveMs: 50 }],
    ['has not even sent headers', 'silence'],
  ])('closes the connection to a backend that %s', async (_, reply) => {
    const fake = await leave([reply], patient)
    await expect.poll(() => fake.left).toBe(1)
    await expect.poll(() => fake.released).toHaveLength(1)
  })

  test.each(['before there is an answer', 'while white space keeps it open'])(
    'that waits for an answer in one piece closes it too, %s',
    async (moment) => {
      const { url, fake } = await start([{ events: half, finally: 'hang' }])
      const abort = new AbortController()
      const body = { messages: [{ role: 'user', content: 'x' }], lookahead: { mode: 'ar' } }
      const answer = post(url, body, { signal: abort.signal, path: '/v1/chat/completions' })
      if (moment.startsWith('while')) expect((await answer).status).toBe(200)
      await expect.poll(() => fake.calls.length).toBe(1)
      abort.abort()
      await answer.then((response) => response.text()).catch(() => undefined)
      await expect.poll(() => fake.left).toBe(1)
    },
  )

  // Before the headers are out workerd notices nobody leaving.
  test('is noticed though the backend stays too busy to let the run in', async () => {
    const busy = { status: 429, code: 'overloaded', retryAfter: 5 }
    const fake = await leave(
      Array.from({ length: 1_000 }, () => busy),
      patient,
    )
    await expect.poll(() => fake.released).toHaveLength(1)
  })
})

describe('a client that stops reading', () => {
  /** More than all the buffers on the way hold. */
  const long = Array.from({ length: 2_000 }, () => ({
    type: 'delta',
    text: 'a'.repeat(2 ** 15),
    tokens: Array.from({ length: 2 ** 5 }, () => 1),
  }))
  const body = { prompt: 'x', lookahead: { mode: 'ar' }, max_tokens: 2 ** 16 }

  test('has left after CLIENT_TIMEOUT_SECONDS: the backend is free again, and so is the place', async () => {
    const script: Reply[] = [{ events: [context(), ...long], finally: 'hang' }, end]
    const { url, fake } = await start(script, { CLIENT_TIMEOUT_SECONDS: '1', MAX_RUNS: '1' })
    const response = await post(url, body)
    expect((await post(url, body)).status).toBe(429)
    await expect.poll(() => fake.left).toBe(1)
    await expect.poll(() => fake.released).toHaveLength(1)
    await expect.poll(async () => (await post(url, body)).status).toBe(200)
    await response.body!.cancel()
  })

  /** No commit has room for all of it. */
  const failure = { type: 'error', error: { message: 'm', type: 't', param: null, code: 'internal_error' } }

  test('holds the backend back, and gets all once it reads on', async () => {
    let written = 0
    const write = async (answer: ServerResponse) => {
      for (const event of [context(), ...long, failure]) {
        written++
        if (!answer.write(encodeEvent(event))) await once(answer, 'drain')
      }
      answer.end()
    }
    const backend = createServer((_, answer) => void write(answer))
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void backend.close())
    const { port } = backend.address() as AddressInfo
    const url = await worker({ BACKEND_URL: `http://127.0.0.1:${port}`, CLIENT_TIMEOUT_SECONDS: '3600' })
    const response = await post(url, body)
    const isHeld = async () => {
      const before = written
      await sleep(500)
      return before > 1 && before === written
    }
    await expect.poll(isHeld).toBe(true)
    expect(written).toBeLessThan(long.length)
    let characters = 0
    for await (const { data } of readEvents(response.body!)) {
      const event = v.parse(RunEvent, JSON.parse(data))
      if (event.type === 'text.delta') characters += event.text.length
    }
    expect(characters).toBe(long.length * 2 ** 15)
  })
})

describe('wrong input', () => {
  test('is a 400 that names the field, or says what else is wrong', async () => {
    const { url } = await start([])
    const error = async (body: unknown) => {
      const response = await post(url, body)
      const parsed = (await response.json()) as { error: { param: string | null; code: string } }
      return [response.status, parsed.error.code, parsed.error.param]
    }
    expect(await error('{')).toEqual([400, 'invalid_json', null])
    expect(await error({})).toEqual([400, 'invalid_request', null])
    expect(await error({ prompt: 'x', max_tokens: 0 })).toEqual([400, 'invalid_request', 'max_tokens'])
    expect(await error({ prompt: 'x', lookahead: { mode: 'warp' } })).toEqual([
      400,
      'invalid_request',
      'lookahead.mode',
    ])
    expect(await error({ prompt: 'x'.repeat(2 ** 20) })).toEqual([413, 'request_too_large', null])
    expect((await fetch(new URL('/v1/nothing', url))).status).toBe(404)
    expect((await fetch(new URL('/health', url))).status).toBe(503)
  })

  test('is answered so that a browser can read it', async () => {
    const { url } = await start([])
    const { status, headers } = await post(url, '{', { headers: { origin: 'https://app.example' } })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([400, '*'])
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('without the API key is a 401', async () => {
    const { url } = await start([], { API_KEY: 'secret' })
    const refused = await post(url, {})
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="lookahead"'])
    expect((await post(url, {}, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401)
    expect((await post(url, {}, { headers: { authorization: 'bearer secret' } })).status).toBe(400)
  })
})
