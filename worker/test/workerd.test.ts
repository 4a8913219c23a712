/** The built worker in real workerd, against a backend that does what a script says. */
import { RunEvent, readEvents } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test } from 'vitest'
import { commits, context, drafts, fakeBackend } from './fake-backend.ts'
import type { FakeBackend, Reply } from './fake-backend.ts'
import { startWorkerd } from './start-workerd.ts'

async function start(script: Reply[], secrets: Record<string, string> = {}): Promise<{ url: URL; fake: FakeBackend }> {
  const fake = await fakeBackend(script)
  onTestFinished(() => fake[Symbol.asyncDispose]())
  const worker = await startWorkerd({ BACKEND_URL: fake.url, ...secrets })
  onTestFinished(() => worker.dispose())
  return { url: await worker.url, fake }
}

const post = (url: URL, body: unknown, { path = '/v1/runs', ...init }: RequestInit & { path?: string } = {}) =>
  fetch(new URL(path, url), {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  })

test('a run streams as typed events with ids from 0, and one terminal event', async () => {
  const end = commits([[true, 'exact']], {
    text: 'a\n\n</think>\n\n3',
    tokens: [1],
    correction: '</think>\n\n3',
    finish: 'stop',
  })
  const { url } = await start([drafts('a\n\n'), end])
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
