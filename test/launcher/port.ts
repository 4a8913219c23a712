import { once } from 'node:events'
import { createServer } from 'node:net'

/** Whether a server could listen on a port of this machine. @throws the system's error if it could not */
export async function tryPort(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}
