/** A network between two servers of this machine that is as far as you say. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface Link {
  /** Where the other end is reached through it. */
  url: string
  /** Cuts all connections. */
  close(): Promise<void>
}

/**
 * Listens on a port of this machine and passes on to `target` what comes, and back, each byte half of `roundTripMs` later. As on
 * a long wire, more can be sent meanwhile, order is kept, and bandwidth is not limited: only who reads slowly holds the sender
 * up. A connection takes a round trip to open. Each direction ends by itself, and what breaks breaks at the other end too.
 */
export async function delayedLink(target: string, roundTripMs: number): Promise<Link> {
  const { hostname, port, protocol } = new URL(target)
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true })
    for (const socket of [near, far]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    carry(near, far, roundTripMs / 2)
    carry(far, near, roundTripMs / 2)
    // The handshake: nothing of the client's leaves before.
    setTimeout(() => near.resume(), roundTripMs)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.close()
    for (const socket of open) socket.destroy()
    await once(server, 'close')
  }
  return { url: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

/** Timers of one length fire in the order in which they were set. */
function carry(from: Socket, to: Socket, ms: number): void {
  const later = (act: () => void) => setTimeout(() => !to.destroyed && act(), ms)
  let broken = false
  from.on('data', (bytes: Buffer) =>
    later(() => {
      if (to.write(bytes) || from.isPaused()) return
      from.pause()
      to.once('drain', () => from.resume())
    }),
  )
  from.once('end', () => later(() => to.end()))
  from.once('error', () => (broken = true))
  from.once('close', () => {
    if (broken) later(() => to.resetAndDestroy())
  })
}
