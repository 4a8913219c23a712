/** `lookahead doctor` with the real worker and backend, and with what may stand before them. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { expect, inject, onTestFinished, test } from 'vitest'
import { startWorker } from '../launcher/index.ts'
import { doctor, lookahead } from './command.ts'

/** Stands before a server. @param change what becomes of its answers */
async function proxy(target: string, change: (response: Response) => Promise<ArrayBuffer | string>): Promise<string> {
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = 'GET', headers } = request
    const body = method === 'POST' ? { body: Readable.toWeb(request) as ReadableStream, duplex: 'half' } : {}
    const { authorization = '' } = headers
    const answer = await fetch(`${target}${request.url}`, {
      method,
      headers: { authorization },
      ...body,
    } as RequestInit)
    const changed = new Response(await change(answer))
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    response.end(Buffer.from(await changed.arrayBuffer()))
  }
  const server = createServer((request, response) => void pass(request, response))
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each(['workerURL', 'backendURL'] as const)('finds nothing wrong with what runs well: %s', async (which) => {
  const { code, ok, findings } = await doctor(`${inject(which)}/`)
  expect(findings.filter(({ state }) => state !== 'ok')).toEqual([])
  expect([code, ok]).toEqual([0, true])
  const checks = ['reached', 'TLS', 'versions', 'round trip', 'backend', 'access', 'models', 'streams']
  expect(findings.map(({ check }) => check)).toEqual(expect.arrayContaining(checks))
})

test('notices a proxy that holds streams back, and says what to do', async () => {
  const url = await proxy(inject('workerURL'), async (response) => response.arrayBuffer())
  const { code, of } = await doctor(url)
  expect(of('streams')).toMatchObject({ state: 'failed', mend: expect.stringContaining('buffering') })
  expect(code).toBe(1)
})

test('names what a run found the engine behind the worker unable to do', async () => {
  const url = await proxy(inject('workerURL'), async (response) => {
    const said = await response.text()
    if (!response.url.endsWith('/health?details')) return said
    return JSON.stringify({ ...(JSON.parse(said) as object), lacking: { target: ['token_ids', 'likelihood'] } })
  })
  const engine = { state: 'warning', told: 'the target lacks token ids, likelihood' }
  expect((await doctor(url)).of('engine')).toMatchObject(engine)
})

test.each([
  ['what listens nowhere', 'http://127.0.0.1:59999', /start the server/],
  ['a name that there is none of', 'http://no-such-host.invalid', /./],
])('says why it does not reach %s', async (_, url, mend) => {
  const { code, findings } = await doctor(url)
  expect(findings).toMatchObject([{ check: 'reached', state: 'failed', mend: expect.stringMatching(mend) }])
  expect(code).toBe(1)
})

test('says when something else answers', async () => {
  const url = await proxy(inject('workerURL'), async () => '<h1>Welcome to nginx</h1>')
  expect((await doctor(url)).findings).toMatchObject([{ check: 'reached', told: expect.stringContaining('nginx') }])
})

test('tells keys at every hop: the client’s, and the worker’s own', async () => {
  // Lets the worker in until it runs, then no more.
  let letsIn = true
  const backend = createServer((request, response) => {
    response.writeHead(letsIn || request.url === '/health' ? 200 : 401).end('{"status":"ok"}')
  })
  await once(backend.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void backend.close())
  const backendURL = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
  const worker = await startWorker({ backendURL, vars: { API_KEY: 'right' } })
  onTestFinished(() => worker.stop())
  letsIn = false

  const without = await doctor(worker.url)
  expect(without.of('access')).toMatchObject({ state: 'failed', mend: expect.stringContaining('--key') })
  expect(without.of('backend')).toMatchObject({ state: 'failed', mend: expect.stringContaining('BACKEND_TOKEN') })
  expect((await doctor(worker.url, '--key', 'wrong')).of('access')).toMatchObject({ told: 'the key is refused' })
  expect((await doctor(worker.url, '--key', 'right')).of('access')).toMatchObject({ state: 'ok' })
})

test('is read by people too', async () => {
  const { code, stdout } = await lookahead('doctor', inject('workerURL'))
  expect(stdout).toMatch(/^✓ reached .* is a worker\n/)
  expect(stdout).toMatch(/✓ streams +an answer of \d+ ms arrived over \d+ ms\n/)
  expect(code).toBe(0)
})
