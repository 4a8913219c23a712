/** A way to a server on which every connection breaks after some bytes of its answers. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface CuttingLink {
  url: string
  /** Connections that were cut. */
  cuts: number
  close(): Promise<void>
}

/** @param draw how many bytes of answers a connection lives; undefined: it is left alone */
export async function cuttingLink(target: string, draw: () => number | undefined): Promise<CuttingLink> {
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => (open.delete(socket), near.destroy(), far.destroy()))
    }
    near.pipe(far)
    let left = draw()
    far.on('data', (bytes) => {
      if (left === undefined || bytes.length < left) {
        if (left !== undefined) left -= bytes.length
        if (!near.write(bytes)) far.pause()
        return
      }
      link.cuts++
      far.removeAllListeners('data')
      // What is written goes out before the connection breaks, so that it breaks in the middle of an event.
      near.write(bytes.subarray(0, left), () => (near.resetAndDestroy(), far.destroy()))
    })
    near.on('drain', () => far.resume())
    far.on('end', () => near.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const link: CuttingLink = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: 0,
    async close() {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
  return link
}
