import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { json } from 'node:stream/consumers'
import { serve } from '@hono/node-server'
import { readEvents } from '@lookahead/sdk/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { createApp } from './app.ts'

// How long a body that is too large is read on for: here until its end, however slow the machine is.
vi.mock('node:timers/promises', () => ({ setTimeout: () => new Promise(() => undefined) }))

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models: path.join(import.meta.dirname, '../../models'), slots: 4096 })
})
afterAll(() => engine.close())
afterEach(() => {
  for (const { runner } of engine.runners) runner.kv.assertIdle()
})

const app = createApp({ engine: () => engine, draining: () => false })
const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]
const post = (url: string, body: unknown, on = app) =>
  on.request(url, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })

describe('wrong input is a 400 that names the field', () => {
  test.each([
    ['/v1/draft', '{', null, 'JSON'],
    ['/v1/draft', { context: { id: 'a', messages } }, 'depth', 'depth'],
    ['/v1/draft', { context: { id: 'a', messages }, depth: 99 }, 'depth', '32'],
    ['/v1/draft', { context: { id: 'a', messages }, depth: 1, width: 9 }, 'width', '8'],
    ['/v1/verify', { context: { id: 'a', messages }, max_tokens: 1, follow: true, width: 0 }, 'width', '1'],
    [
      '/v1/verify',
      {
        context: { id: 'a', messages },
        max_tokens: 1,
        steps: [{ text: 'x', alternatives: Array.from({ length: 8 }, () => ({ text: 'y' })) }],
      },
      'steps.0.alternatives',
      '7',
    ],
    ['/v1/draft', { context: { id: 'a', messages }, depth: 1, surprise: 1 }, 'surprise', 'surprise'],
    ['/v1/verify', { context: { id: 'a' }, max_tokens: 1 }, 'context', 'exactly one'],
    ['/v1/verify', { context: { id: 'a', length: 1, output: [1] }, max_tokens: 1 }, 'context.output', 'messages'],
    ['/v1/draft', { context: { id: 'a', length: 1, output: [1] }, depth: 1 }, 'context.output', 'messages'],
    ['/v1/draft', { context: { id: 'a', messages }, depth: 1, sampling: { seed: 2 ** 60 } }, 'sampling.seed', '2'],
    ['/v1/verify', { context: { id: 'a', messages }, max_tokens: 0 }, 'max_tokens', 'max_tokens'],
    ['/v1/verify', { context: { id: 'a', messages }, max_tokens: 1, sampling: { top_p: 2 } }, 'sampling.top_p', '1'],
    ['/v1/verify', { context: { id: 'a', messages, output: [999_999] }, max_tokens: 1 }, 'context.output', 'token'],
    ['/v1/verify', { context: { id: 'a', prompt: 'word '.repeat(6000) }, max_tokens: 1 }, 'context.prompt', '4096'],
  ])('%s %j', async (url, body, param, words) => {
    const response = await post(url, body)
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as { error: { message: string; param: string | null; type: string } }
    expect(error).toMatchObject({ param, type: 'invalid_request_error' })
    expect(error.message).toContain(words)
  })
})

test('409 context_lost, 404, 413', async () => {
  const lost = await post('/v1/verify', { context: { id: 'gone', length: 4 }, max_tokens: 1 })
  expect([lost.status, await lost.json()]).toMatchObject([409, { error: { code: 'context_lost' } }])
  expect((await app.request('/v1/nothing')).status).toBe(404)
  const large = await post('/v1/draft', { context: { id: 'a', prompt: 'x'.repeat(5 * 1024 * 1024) }, depth: 1 })
  expect([large.status, await large.json()]).toMatchObject([413, { error: { code: 'request_too_large' } }])
  expect(large.headers.get('connection')).toBe('close')
})

test.each([
  ['whose length is told', { 'content-length': '9000000' }],
  ['in chunks', { 'transfer-encoding': 'chunked' }],
])(
  'the client that sends too much %s hears so once it has sent it, and that no other request is answered',
  async (_, headers) => {
    const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
      const bound = serve({ fetch: app.fetch, port: 0 }, () => resolve(bound))
    })
    try {
      const { port } = server.address() as AddressInfo
      const sent = request({ port, method: 'POST', path: '/tokenize', headers })
      const answered = once(sent, 'response') as Promise<[IncomingMessage]>
      sent.end('x'.repeat(9_000_000))
      const [answer] = await answered
      expect([answer.statusCode, answer.headers.connection]).toEqual([413, 'close'])
      expect(await json(answer)).toMatchObject({ error: { code: 'request_too_large' } })
    } finally {
      server.close()
    }
  },
)

test('a body that breaks off is no fault of the backend: nothing is logged', async () => {
  const log = vi.spyOn(console, 'error').mockReturnValue()
  const left = new AbortController()
  const upload = (signal: AbortSignal) => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('aborted')) })
    return app.request('/tokenize', { method: 'POST', body, signal, duplex: 'half' } as RequestInit)
  }
  expect((await upload(left.signal)).status).toBe(400)
  left.abort()
  expect((await upload(left.signal)).status).toBe(499)
  expect(log).not.toHaveBeenCalled()
  log.mockRestore()
})

test('a call that is given up does not take the context with it that came in its place', async () => {
  const context = { id: 'same', messages }
  const sampling = { temperature: 0 }
  const old = await post('/v1/verify', { context, max_tokens: 300, decode: 'end', sampling })
  const reader = old.body!.getReader()
  await reader.read()
  const fresh = await post('/v1/verify', { context, max_tokens: 300, sampling })
  await reader.cancel()
  const answer = await fresh.text()
  const line = answer.split('\n').find((text) => text.startsWith('data: {"type":"commit"'))!
  const { tokens } = JSON.parse(line.slice('data: '.length)) as { tokens: number[] }
  const next = await post('/v1/verify', { context: { id: 'same', length: tokens.length }, max_tokens: 300, sampling })
  expect(next.status).toBe(200)
  await next.text()
})

test('what one text asks for fails no other in the same forward', async () => {
  const completion = (more: object) =>
    post('/v1/completions', { prompt: 'Ann', max_tokens: 40, ignore_eos: true, ...more })
  const [cold, refused, ...others] = await Promise.all([
    completion({ temperature: 1e-17 }),
    completion({ repetition_penalty: 1e-40 }),
    completion({ temperature: 0 }),
    completion({ temperature: 1 }),
  ])
  expect([cold!.status, refused!.status, ...others.map(({ status }) => status)]).toEqual([200, 400, 200, 200])
  const [a, b] = await Promise.all([cold!.json(), others[0]!.json()])
  expect((a as Completion).choices[0]!.text).toBe((b as Completion).choices[0]!.text)
})

interface Completion {
  choices: { text: string }[]
}

test('health tells of a target whose forwards fail one after another, until one does not', async () => {
  const log = vi.spyOn(console, 'error').mockReturnValue()
  const ask = () => post('/v1/completions', { prompt: 'Ann', max_tokens: 1, speculation: { draft: 0, ngram: 0 } })
  const health = async () => (await app.request('/health')).status
  const lost = vi.spyOn(engine.target.model, 'forward').mockRejectedValue(new Error('the device is lost'))
  const seen: number[] = []
  for (let i = 0; i < 3; i++) {
    expect((await ask()).status).toBe(500)
    seen.push(await health())
  }
  expect(seen).toEqual([200, 200, 503])
  lost.mockRestore()
  expect((await ask()).status).toBe(200)
  expect(await health()).toBe(200)
  expect(await (await app.request('/health')).json()).toMatchObject({ status: 'ok', judge: true })
  log.mockRestore()
})

test('loading and draining answer 503 with Retry-After; health says so', async () => {
  const loading = createApp({ engine: () => undefined, draining: () => false })
  const draining = createApp({ engine: () => engine, draining: () => true })
  for (const [on, code] of [
    [loading, 'loading'],
    [draining, 'draining'],
  ] as const) {
    const response = await post('/v1/draft', { context: { id: 'a', messages }, depth: 1 }, on)
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await response.json()).toMatchObject({ error: { code, type: 'server_error' } })
    const health = await on.request('/health')
    expect([health.status, await health.json()]).toEqual([503, { status: code }])
  }
})

test('pages of other origins may call where it is said, refusals included', async () => {
  const from = (origin: string, on: typeof app) => on.request('/v1/models', { headers: { origin } })
  const allowed = async (origin: string, on: typeof app) =>
    (await from(origin, on)).headers.get('access-control-allow-origin')
  expect(await allowed('https://a.example', app)).toBeNull()
  const options = { engine: () => engine, draining: () => false, token: 'secret' }
  const some = createApp({ ...options, cors: ['https://a.example'] })
  expect(await allowed('https://a.example', some)).toBe('https://a.example')
  expect(await allowed('https://b.example', some)).toBeNull()
  expect(await allowed('https://b.example', createApp({ ...options, cors: ['*'] }))).toBe('*')
})

test('with a token, callers must show it; health needs none', async () => {
  const guarded = createApp({ engine: () => engine, draining: () => false, token: 'secret' })
  const models = (authorization?: string) =>
    guarded.request('/v1/models', { headers: authorization ? { authorization } : {} })
  for (const [shown, challenge] of [
    [undefined, 'Bearer realm="lookahead"'],
    ['Bearer other', 'Bearer error="invalid_token"'],
    ['secret', 'Bearer error="invalid_request"'],
  ] as const) {
    const refused = await models(shown)
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, challenge])
    expect(await refused.json()).toMatchObject({ error: { code: 'invalid_api_key', type: 'invalid_request_error' } })
  }
  expect((await models('Bearer secret')).status).toBe(200)
  expect((await models('bearer secret')).status).toBe(200)
  expect((await guarded.request('/health')).status).toBe(200)
})

test('draft, then verify: steps as they finish, a verdict each, one commit', async () => {
  const events = async (response: Response) => {
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const all: { type: string; [key: string]: unknown }[] = []
    for await (const { event, data } of readEvents(response.body!)) {
      all.push(JSON.parse(data) as (typeof all)[number])
      expect(all.at(-1)!.type).toBe(event)
    }
    return all
  }
  const drafted = await events(await post('/v1/draft', { context: { id: 'a', messages }, depth: 2 }))
  expect(drafted.map((event) => event.type)).toEqual(['context', 'step', 'step', 'done'])
  const steps = drafted.filter((event) => event.type === 'step').map(({ id, text }) => ({ id, text }))
  const verified = await events(await post('/v1/verify', { context: { id: 'a', length: 0 }, steps, max_tokens: 300 }))
  expect(verified[0]).toMatchObject({ type: 'context', output_tokens: 0, thinking: true })
  expect(verified.filter((event) => event.type === 'verdict').length).toBeGreaterThan(0)
  expect(verified.slice(-2).map((event) => event.type)).toEqual(['commit', 'done'])
})

test('headers go out before anything is computed', async () => {
  const { model } = engine.target
  const forward = model.forward.bind(model)
  const gate = Promise.withResolvers<void>()
  model.forward = (rows) => gate.promise.then(() => forward(rows))
  try {
    const response = await post('/v1/verify', { context: { id: 'early', messages }, max_tokens: 3 })
    const reader = response.body!.getReader()
    expect(response.status).toBe(200)
    expect(new TextDecoder().decode((await reader.read()).value)).toContain(': ok')
    gate.resolve()
    await reader.cancel()
  } finally {
    model.forward = forward
  }
})

test('a client that leaves frees the slots of its context', async () => {
  const response = await post('/v1/verify', { context: { id: 'leaver', messages }, decode: 'end', max_tokens: 1000 })
  const reader = response.body!.getReader()
  await reader.read()
  expect(engine.contexts.running).toBe(1)
  await reader.cancel()
  expect(engine.contexts.running).toBe(0)
  await expect(engine.context({ id: 'leaver', length: 0 })).rejects.toThrow('no longer')
})

test('a caller that is done with a context can give it up', async () => {
  const response = await post('/v1/verify', {
    context: { id: 'kept', messages },
    max_tokens: 300,
    step_rules: { max_tokens: 5 },
  })
  await response.text()
  expect(await engine.context({ id: 'kept', length: 5 })).toBeDefined()
  for (let times = 0; times < 2; times++)
    expect((await app.request('/v1/contexts/kept', { method: 'DELETE' })).status).toBe(204)
  await expect(engine.context({ id: 'kept', length: 5 })).rejects.toThrow('no longer')
})
