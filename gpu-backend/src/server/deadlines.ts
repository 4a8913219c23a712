import type { Server, ServerOptions } from 'node:http'

/** A whole request must have come after so many milliseconds, its headers too: options of Node's server. */
export const requestLimits: ServerOptions = { requestTimeout: 60_000 }

/** Ends connections whose client has read nothing for `ms` although there is something to read: its texts would keep their slots. */
export function endUnread(server: Server, ms: number): void {
  server.on('request', (_, response) => {
    // Told of silence in both directions, which a text that is being computed keeps too.
    response.setTimeout(ms, () => {
      if (response.writableLength > 0) response.socket?.destroy()
    })
  })
}
