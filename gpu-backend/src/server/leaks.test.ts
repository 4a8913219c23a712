import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Engine } from '../engine/engine.ts'
import { createApp } from './app.ts'
import { Calls } from './calls.ts'

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models: path.join(import.meta.dirname, '../../models'), slots: 4096 })
})
afterAll(() => engine.close())

let calls: Calls
let app: ReturnType<typeof createApp>
beforeEach(() => {
  calls = new Calls()
  app = createApp({ engine: () => engine, draining: () => false, calls })
})

const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]
const long = { ignore_eos: true, max_tokens: 1500 }

const streaming: [route: string, body: object][] = [
  ['/v1/draft', { context: { id: 'left', messages }, depth: 32 }],
  ['/v1/verify', { context: { id: 'left', messages }, decode: 'end', max_tokens: 1500 }],
  ['/v1/completions', { prompt: ['Ann', 'Bob'], stream: true, ...long }],
  ['/v1/chat/completions', { messages, stream: true, ...long }],
]
const whole: typeof streaming = [
  ['/v1/completions', { prompt: ['Ann', 'Bob'], ...long }],
  ['/v1/chat/completions', { messages, ...long }],
]

const send = async (route: string, body: object, signal?: AbortSignal) =>
  app.request(route, { method: 'POST', body: JSON.stringify(body), ...(signal && { signal }) })

/** How many of its series' numbers have a name that begins so, all together. */
async function sum(series: string): Promise<number> {
  const text = await (await app.request('/metrics')).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`lookahead:${series}`))
  expect(lines.length).toBeGreaterThan(0)
  return lines.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)
}

/** As many texts have ended as were begun, each once, and nothing stands anywhere any more. */
async function expectNothingLeft(ended: number): Promise<void> {
  await expect.poll(() => calls.running).toBe(0)
  expect([engine.contexts.size, engine.contexts.running]).toEqual([0, 0])
  for (const { runner } of engine.runners) runner.kv.assertIdle()
  expect(await sum('num_calls ')).toBe(0)
  expect((await sum('num_requests_running')) + (await sum('num_requests_waiting'))).toBe(0)
  expect(await sum('request_success_total')).toBe(ended)
  expect(await sum('e2e_request_latency_seconds_count')).toBe(ended)
}

/** @returns what lets them go on */
function holdForwards(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>()
  const spies = engine.runners.map(({ runner: { model } }) => {
    const forward = model.forward.bind(model)
    return vi.spyOn(model, 'forward').mockImplementation((rows) => promise.then(() => forward(rows)))
  })
  return () => {
    for (const spy of spies) spy.mockRestore()
    resolve()
  }
}

describe.each(streaming)('a client that leaves %s', (route, body) => {
  const texts = 'prompt' in body ? 2 : 1

  test.each([0, 1, 2, 5])('after %i reads leaves nothing behind', async (reads) => {
    const response = await send(route, body)
    expect(response.status).toBe(200)
    const reader = response.body!.getReader()
    for (let i = 0; i < reads; i++) expect((await reader.read()).done).toBe(false)
    await reader.cancel()
    await expectNothingLeft(texts)
  })

  test('by breaking the connection once the headers are there leaves nothing behind', async () => {
    const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
      const bound = serve({ fetch: app.fetch, port: 0 }, () => resolve(bound))
    })
    // Where headers come first, nothing is computed before the connection is gone.
    const release = 'context' in body ? holdForwards() : () => undefined
    try {
      const { port } = server.address() as AddressInfo
      const sent = request({ port, method: 'POST', path: route, agent: false })
      sent.end(JSON.stringify(body))
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.destroy()
      await expect.poll(() => promisify(server.getConnections.bind(server))()).toBe(0)
      release()
      await expectNothingLeft(texts)
    } finally {
      release()
      server.close()
    }
  })

  test('while a read waits leaves nothing behind', async () => {
    const reader = (await send(route, body)).body!.getReader()
    await reader.read()
    const waiting = [reader.read(), reader.read(), reader.read()]
    await reader.cancel()
    await Promise.all(waiting)
    await expectNothingLeft(texts)
  })

  test('whose connection closes, and whose answer nobody then reads or cancels, leaves nothing behind', async () => {
    const left = new AbortController()
    const response = await send(route, body, left.signal)
    left.abort()
    await expectNothingLeft(texts)
    await response.body!.cancel()
    await expectNothingLeft(texts)
  })
})

test.each(whole)(
  'a client that leaves %s before its whole answer is there leaves nothing behind',
  async (route, body) => {
    const left = new AbortController()
    const answer = send(route, body, left.signal)
    await expect.poll(() => engine.target.stats.running).toBeGreaterThan(0)
    left.abort()
    expect((await answer).status).toBe(499)
    await expectNothingLeft('prompt' in body ? 2 : 1)
  },
)

describe('two calls that follow each other', () => {
  const halves = ['/v1/draft', '/v1/verify'] as const
  const asked = { context: { id: 'left', messages }, follow: true, sampling: { temperature: 0 } }
  const own = { '/v1/draft': { depth: 1 }, '/v1/verify': { depth: 2, max_tokens: 1500 } }

  /** Of a draft that helps, what is read is what lets it go on. */
  async function readUntil(word: string, reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    for (let said = ''; !said.includes(word);) {
      const { done, value } = await reader.read()
      if (done) return
      said += new TextDecoder().decode(value)
    }
  }

  test.each([
    ['unread', undefined],
    ['once steps were ruled on', '"type":"verdict"'],
  ])('leave nothing behind when they are cancelled %s, whichever comes first', async (_, word) => {
    let ended = 0
    for (const begun of [halves, halves.toReversed()])
      for (const left of [halves, halves.toReversed()]) {
        const readers = new Map<string, ReadableStreamDefaultReader<Uint8Array>>()
        for (const route of begun)
          readers.set(route, (await send(route, { ...asked, ...own[route] })).body!.getReader())
        if (word !== undefined) {
          void readUntil('"type":"done"', readers.get('/v1/draft')!)
          await readUntil(word, readers.get('/v1/verify')!)
        }
        for (const route of left) await readers.get(route)!.cancel()
        await expectNothingLeft((ended += 2))
      }
  })
})
