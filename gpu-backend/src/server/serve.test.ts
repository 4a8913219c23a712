/** What `lookahead serve` sees to beside the app: clients that stop reading, or never finish what they send. */
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { command } from '../flags.ts'
import type * as deadlines from './deadlines.ts'
import { serveOptions, withServeFlags } from './flags.ts'
import { serve } from './serve.ts'
import type { Server } from './serve.ts'

// A minute otherwise.
vi.mock('./deadlines.ts', async (original) => ({
  ...(await original<typeof deadlines>()),
  requestLimits: { requestTimeout: 100, connectionsCheckingInterval: 50 },
}))

let server: Server
beforeAll(async () => {
  const flags = ['--port', '0', '--judge', 'none', '--slots', '4096', '--write-timeout', '1', '--drain', '0']
  server = await serve(serveOptions(withServeFlags(command('serve', '')).parse(flags, { from: 'user' }).opts()))
})
afterAll(() => server.close())

async function running(): Promise<number> {
  const response = await fetch(`${server.url}/health`)
  return ((await response.json()) as { running: number }).running
}

test('who stops reading for --write-timeout seconds has left', async () => {
  const sent = request(`${server.url}/v1/completions`, { method: 'POST', agent: false })
  // Some megabytes, more than lies between the two.
  const prompt = [1, 2, 3, 4, 5, 6].map((first) => Array.from({ length: 1900 }, (_, i) => first + (i % 1000)))
  const body = { model: 'draft', prompt, max_tokens: 50, ignore_eos: true, prompt_logprobs: 20, stream: true }
  sent.end(JSON.stringify(body))
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  await once(answer, 'readable')
  await expect.poll(running).toBe(0)
  const [error] = (await once(answer.resume(), 'error')) as [Error]
  expect(error.message).toBe('aborted')
})

test('a request that never comes to its end is ended', async () => {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.write('POST /tokenize HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\n{"prompt":')
  // The server's own words, not the app's.
  expect(await text(socket)).toBe('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n')
})
