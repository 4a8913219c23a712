/** A way between two servers that are `rtt` apart, on which what passes may come to harm. */
import { once } from 'node:events'
import { Agent, createServer, request as send } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Strike } from './fault.ts'

export interface LinkOptions {
  /** Where it leads; may change, when a server comes back elsewhere. */
  target: () => string
  /** Milliseconds there and back. */
  rtt: number
  /** What is to strike this call, if anything. Told the call's id where it has one: a run's. */
  draw: (call: { method: string; path: string; id: string | undefined }) => Strike | undefined
  /** Told the call's id, for those that learn it from the answer. */
  onStruck?: (id: string | undefined) => void
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

async function carry(
  call: IncomingMessage,
  answer: ServerResponse,
  agent: Agent,
  { target, rtt, draw, onStruck }: LinkOptions,
): Promise<void> {
  const { method = 'GET', url: path = '/', headers } = call
  const id = headers['x-request-id']?.toString()
  const body = await buffer(call)
  const strike = draw({ method, path, id })
  if (strike?.kind === 'refuse') return void answer.socket?.resetAndDestroy()
  await sleep(rtt / 2)
  if (strike?.kind === 'mute') return
  const ask = () => {
    const { hostname, port } = new URL(target())
    const asked = send({ host: hostname, port, path, method, headers: { ...headers, connection: 'close' }, agent })
    asked.on('error', () => undefined)
    answer.once('close', () => asked.destroy())
    asked.end(body)
    return asked
  }
  if (strike?.kind === 'double call') ask().on('response', (twin) => twin.resume().on('error', () => undefined))
  const asked = ask()
  const response = await Promise.race([
    once(asked, 'response').then(([first]) => first as IncomingMessage),
    once(asked, 'close').then(() => undefined),
  ])
  if (!response) return void answer.socket?.resetAndDestroy()
  if (strike) onStruck?.(response.headers['x-request-id']?.toString())
  await sleep(rtt / 2)
  const { 'transfer-encoding': _, connection: __, 'content-length': ___, ...rest } = response.headers
  answer.writeHead(response.statusCode ?? 500, { ...rest, connection: 'close' })
  answer.flushHeaders()
  await pass(response, answer, rtt / 2, strike)
}

/** The answer, event by event, each half a round trip later than it came. */
async function pass(from: IncomingMessage, to: ServerResponse, delayMs: number, strike?: Strike): Promise<void> {
  const due: { at: number; text: string }[] = []
  let isOver: 'ended' | 'broken' | undefined
  let wake = Promise.withResolvers<void>()
  const changed = () => (wake.resolve(), (wake = Promise.withResolvers()))
  let rest = ''
  from.setEncoding('utf8')
  from.on('data', (text: string) => {
    const frames = (rest + text).split(/(?<=\n\n)/)
    rest = frames.at(-1)?.endsWith('\n\n') ? '' : (frames.pop() ?? '')
    for (const frame of frames) due.push({ at: performance.now() + delayMs, text: frame })
    changed()
  })
  from.once('end', () => {
    if (rest) due.push({ at: performance.now() + delayMs, text: rest })
    isOver ??= 'ended'
    changed()
  })
  from.on('error', () => undefined)
  from.once('close', () => ((isOver ??= 'broken'), changed()))
  to.once('close', () => ((isOver = 'broken'), changed()))

  let events = 0
  for (;;) {
    const next = due.shift()
    if (!next) {
      if (isOver === 'ended') return void to.end()
      if (isOver === 'broken') return void to.socket?.resetAndDestroy()
      await wake.promise
      continue
    }
    await sleep(Math.max(0, next.at - performance.now()))
    if (to.destroyed) return
    const isStruck = strike !== undefined && !next.text.startsWith(':') && events++ === strike.event
    if (!isStruck) to.write(next.text)
    else if ((await struck(next.text, due, to, strike)) === 'gone') return
  }
}

/** @returns 'gone' where nothing more is to pass */
async function struck(
  text: string,
  due: { text: string }[],
  to: ServerResponse,
  { kind, ms }: Strike,
): Promise<'gone' | undefined> {
  const half = text.slice(0, Math.ceil(text.length / 2))
  switch (kind) {
    case 'reset':
      to.write(half)
      await sleep(5)
      to.socket?.resetAndDestroy()
      return 'gone'
    case 'truncate':
      to.end(half)
      return 'gone'
    case 'stall':
      to.write(half)
      return 'gone'
    case 'delay':
      await sleep(ms)
      break
    case 'drop event':
      return undefined
    case 'double event':
      to.write(text)
      break
    case 'swap events': {
      const next = due.shift()
      if (next) to.write(next.text)
      break
    }
    case 'garble event':
      text = text.replace('data: {', 'data: {{')
  }
  to.write(text)
  return undefined
}
