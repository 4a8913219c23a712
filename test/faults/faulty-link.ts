/** A way between two servers that are `rtt` apart, on which what passes may come to harm. */
import { once } from 'node:events'
import { Agent, createServer, request as send } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Strike } from './fault.ts'
import { pass } from './pass.ts'

export interface LinkOptions {
  /** Where it leads; may change, when a server comes back elsewhere. */
  target: () => string
  /** Milliseconds there and back. */
  rtt: number
  /** What is to strike this call, if anything. */
  draw: (method: string) => Strike | undefined
  /** Told when a fault has struck, and the id of the call where it has one: a run's. */
  onStruck: (strike: Strike, id: string | undefined) => void
}

export interface FaultyLink {
  url: string
  close(): Promise<void>
}

export async function faultyLink(options: LinkOptions): Promise<FaultyLink> {
  // A connection for each call, so that none suffers for another.
  const agent = new Agent({ keepAlive: false, maxSockets: Infinity })
  const server = createServer({ keepAliveTimeout: 1 }, (call, answer) => {
    answer.on('error', () => undefined)
    carry(call, answer, agent, options).catch(() => answer.socket?.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.close()
    server.closeAllConnections()
    agent.destroy()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

/** One call there, and its answer back. */
async function carry(
  call: IncomingMessage,
  answer: ServerResponse,
  agent: Agent,
  { target, rtt, draw, onStruck }: LinkOptions,
): Promise<void> {
  const { method = 'GET', url: path = '/', headers } = call
  const id = headers['x-request-id']?.toString()
  const body = await buffer(call)
  const strike = draw(method)
  const struck = () => strike && onStruck(strike, id)
  const ask = () => {
    const { hostname, port } = new URL(target())
    const asked = send({ host: hostname, port, path, method, headers: { ...headers, connection: 'close' }, agent })
    asked.on('error', () => undefined)
    answer.once('close', () => asked.destroy())
    asked.end(body)
    return asked
  }
  switch (strike?.kind) {
    case 'refuse':
      struck()
      return void answer.socket?.resetAndDestroy()
    case 'mute':
      return struck()
    case 'bad gateway':
      struck()
      return void answer.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>')
    case 'late call':
      struck()
      await sleep(strike.ms)
      break
    case 'double call':
      struck()
      void sleep(strike.ms).then(
        () => answer.destroyed || ask().on('response', (twin) => twin.resume().on('error', () => undefined)),
      )
  }
  await sleep(rtt / 2)
  if (answer.destroyed) return
  const asked = ask()
  const response = await Promise.race([
    once(asked, 'response').then(([first]) => first as IncomingMessage),
    once(asked, 'close').then(() => undefined),
  ])
  if (!response) return void answer.socket?.resetAndDestroy()
  await sleep(rtt / 2)
  const { 'transfer-encoding': _, connection: __, 'content-length': ___, ...rest } = response.headers
  answer.writeHead(response.statusCode ?? 500, { ...rest, connection: 'close' })
  answer.flushHeaders()
  await pass(response, answer, { delayMs: rtt / 2, strike, struck })
}
