import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { delayedLink } from './delayed-link.ts'

const ROUND_TRIP_MS = 80

/** A connection through a link to a server that does `serve`. */
async function through(serve: (socket: Socket) => void, roundTripMs = ROUND_TRIP_MS): Promise<Socket> {
  const server: Server = createServer({ allowHalfOpen: true }, serve).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const link = await delayedLink(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, roundTripMs)
  const socket = connect({ port: Number(new URL(link.url).port), allowHalfOpen: true })
  await once(socket, 'connect')
  onTestFinished(async () => {
    socket.destroy()
    await link.close()
    server.close()
  })
  return socket
}

const echo = (socket: Socket) => void socket.pipe(socket)

test('an answer comes a round trip later, the first one two: no sooner', async () => {
  const socket = await through(echo)
  for (const least of [2 * ROUND_TRIP_MS, ROUND_TRIP_MS, ROUND_TRIP_MS]) {
    const start = performance.now()
    socket.write('x')
    await once(socket, 'data')
    expect(performance.now() - start).toBeGreaterThan(least - 5)
  }
})

test('many messages are under way at once, and come in order', async () => {
  const socket = await through(echo)
  const sent = Array.from({ length: 200 }, (_, i) => `${i};`)
  const start = performance.now()
  for (const message of sent) {
    socket.write(message)
    await new Promise((resolve) => setImmediate(resolve))
  }
  socket.end()
  expect(await text(socket)).toBe(sent.join(''))
  // One after another they would take longer.
  expect(performance.now() - start).toBeLessThan(sent.length * ROUND_TRIP_MS)
})

test('a large body comes whole, with a reader that lets it wait', async () => {
  const bytes = Buffer.alloc(20_000_000, 'abcdefghij')
  const socket = await through((server) => void server.end(bytes), 10)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect((await buffer(socket)).equals(bytes)).toBe(true)
})

test('one side may be done sending while the other goes on', async () => {
  const socket = await through((server) => {
    let heard = ''
    server.on('data', (data) => (heard += data))
    server.on('end', () => void setTimeout(() => server.end(`heard ${heard}`), 50))
  })
  socket.end('all')
  expect(await text(socket)).toBe('heard all')
})

test('what breaks at one end breaks at the other', async () => {
  const error = Promise.withResolvers<NodeJS.ErrnoException>()
  const socket = await through((accepted) => {
    accepted.write('hello')
    accepted.once('error', error.resolve)
  })
  await once(socket, 'data')
  socket.resetAndDestroy()
  expect((await error.promise).code).toBe('ECONNRESET')
})

test('a server that is not there is a broken connection', async () => {
  const link = await delayedLink('http://127.0.0.1:1', 10)
  onTestFinished(() => link.close())
  const socket = connect(Number(new URL(link.url).port))
  const [error] = (await once(socket, 'error').catch((reason: unknown) => [reason])) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNRESET')
})
