import type { AddressInfo } from 'node:net'
import { serve as listen } from '@hono/node-server'
import { Engine } from '../engine/engine.ts'
import { createApp } from './app.ts'
import type { ServeOptions } from './flags.ts'

/** How long running calls may go on once the server was asked to stop. */
const DRAIN_MS = 10_000

export interface Server {
  url: string
  /** Refuses new calls, lets running ones finish for up to ten seconds, then frees the models. */
  close(): Promise<void>
}

/**
 * Binds the port at once and answers 503 until the models are loaded.
 * @throws {ModelError} when a checkpoint is missing or broken; the system's error when the port cannot be had
 */
export async function serve(options: ServeOptions): Promise<Server> {
  let engine: Engine | undefined
  let draining = false
  const app = createApp({ engine: () => engine, draining: () => draining, token: options.token })
  const server = await new Promise<ReturnType<typeof listen>>((resolve, reject) => {
    const bound = listen({ fetch: app.fetch, hostname: options.host, port: options.port }, () => resolve(bound))
    bound.once('error', reject)
  })
  const stopped = () => new Promise<void>((resolve) => server.close(() => resolve()))
  try {
    engine = await Engine.load(options)
  } catch (error) {
    await stopped()
    throw error
  }
  const busy = (): boolean => (engine?.contexts.running ?? 0) > 0
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    async close() {
      draining = true
      const closed = stopped()
      const deadline = performance.now() + DRAIN_MS
      while (busy() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
      engine?.close()
    },
  }
}
