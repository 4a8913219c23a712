/** Clients that upload without end, read nothing, or are pages of another site. */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { ClientRequest, IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApp } from './app.ts'
import { Calls } from './calls.ts'
import { endUnread } from './deadlines.ts'
import { app, engine, someTokens } from '../../test/served.ts'

const calls = new Calls()
const agent = new Agent()
let server: Server
let port: number
beforeAll(async () => {
  const { fetch } = createApp({ engine: () => engine, draining: () => false, calls })
  server = serve({ fetch, hostname: '127.0.0.1', port: 0 }) as Server
  endUnread(server, 1_000)
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))))

function post(path: string, headers: Record<string, string> = {}): ClientRequest {
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', ...headers },
  })
  // Who is left behind is left by the server too.
  sent.on('error', () => undefined)
  return sent
}

async function answerTo(sent: ClientRequest, body: object): Promise<IncomingMessage> {
  sent.end(JSON.stringify(body))
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return answer
}

test('uploads that do not end take so much memory at most, and leave room for small bodies', async () => {
  const answered: number[] = []
  const uploads = Array.from({ length: 40 }, () => {
    const sent = post('/tokenize', { 'content-length': '4000000' })
    sent.on('response', (answer) => (answered.push(answer.statusCode!), answer.resume()))
    sent.write(Buffer.alloc(3_900_000, ' '))
    return sent
  })
  // 17 of them would have more than 64 MiB.
  await expect.poll(() => answered.length).toBeGreaterThanOrEqual(40 - 17)
  expect(new Set(answered)).toEqual(new Set([429]))
  const small = await answerTo(post('/tokenize'), { prompt: 'Ann' })
  expect([small.statusCode, await json(small)]).toEqual([200, expect.objectContaining({ count: 2 })])
  for (const sent of uploads) sent.destroy()
  await expect
    .poll(
      async () => (await answerTo(post('/tokenize'), { prompt: 'Ann', x: ' '.repeat(3_000_000) })).resume().statusCode,
    )
    .toBe(200)
})

test('who reads nothing of a stream has left', async () => {
  // Some megabytes, more than lies between the two.
  const prompt = Array.from({ length: 6 }, (_, i) => someTokens(1900 + i).slice(i))
  const body = { model: 'draft', prompt, max_tokens: 50, ignore_eos: true, prompt_logprobs: 20, stream: true }
  const answer = await answerTo(post('/v1/completions'), body)
  await once(answer, 'readable')
  expect(calls.running).toBe(1)
  await expect.poll(() => [calls.running, engine.stats.draft!.running, engine.stats.draft!.waiting]).toEqual([0, 0, 0])
  // It did not come to its end.
  const [error] = (await once(answer.resume(), 'error')) as [Error]
  expect(error.message).toBe('aborted')
})

test('who reads, slowly, and who waits for an answer in one piece, stay', async () => {
  const body = { prompt: 'Ann', max_tokens: 100, ignore_eos: true, logprobs: 20, speculation: { draft: 0, ngram: 0 } }
  const whole = answerTo(post('/v1/completions'), body)
  const answer = await answerTo(post('/v1/completions'), { ...body, stream: true })
  let text = ''
  for await (const chunk of answer) text += String(chunk)
  expect(text).toMatch(/\[DONE\]\s*$/)
  expect((await json(await whole)) as object).toHaveProperty('usage.completion_tokens', 100)
})

test('a page of another site gets nothing done', async () => {
  const call = (headers: Record<string, string>) =>
    app.request('/tokenize', {
      method: 'POST',
      body: JSON.stringify({ prompt: 'Ann' }),
      headers: { host: 'a:8600', ...headers },
    })
  const origin = 'https://b.example'
  for (const type of ['text/plain', 'text/plain;charset=UTF-8', 'TEXT/PLAIN', 'multipart/form-data; boundary=x'])
    for (const from of [origin, 'null', 'http://a:8601']) {
      const refused = await call({ origin: from, 'content-type': type })
      expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: 'cross_site' } }])
    }
  const untyped = new Request('http://a:8600/tokenize', {
    method: 'POST',
    body: new Uint8Array(2),
    headers: { origin, host: 'a:8600' },
  })
  expect((await app.request(untyped)).status).toBe(403)
  // A browser asks first, and is told of no permission.
  const asked = await app.request('/tokenize', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST' },
  })
  expect(asked.headers.get('access-control-allow-origin')).toBeNull()
  for (const headers of [
    { 'content-type': 'text/plain' },
    { 'content-type': 'text/plain', origin: 'http://a:8600' },
    { 'content-type': 'application/json', origin },
  ])
    expect((await call(headers as Record<string, string>)).status).toBe(200)
})
