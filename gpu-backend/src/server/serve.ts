import { Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve as listen } from '@hono/node-server'
import { Engine } from '../engine/engine.ts'
import type { WeightType } from '../graph/index.ts'
import { shareThreads } from '../onnxruntime/index.ts'
import { createApp } from './app.ts'
import { Calls } from './calls.ts'
import { endUnread, requestLimits } from './deadlines.ts'
import { chooseDevice, type ChosenDevice } from './device.ts'
import { UsageError } from '../usage.ts'
import type { ServeOptions } from './flags.ts'

/** Aborted calls end within a forward, and the last bytes go out at once: so long is waited for clients that do not read. */
const GRACE_MS = 5_000

export interface Server {
  url: string
  device: ChosenDevice
  /** What it has loaded. */
  models: { role: string; parameters: number; weights: WeightType; slots: number }[]
  /** Begins no more texts, lets those go on that have begun, for up to `drainMs`, aborts the rest, then frees the models. */
  close(): Promise<void>
}

/**
 * Binds the port at once and answers 503 until the models are loaded.
 * @throws {UsageError} when CUDA is asked for and cannot be used; {ModelError} when a checkpoint is missing or broken, or the judge cannot judge; the system's error when the port cannot be had; the signal's reason if it was aborted while the models loaded
 */
export async function serve(options: ServeOptions, signal?: AbortSignal): Promise<Server> {
  if ('forced' in options) throw new UsageError('forced acceptance is for benchmarks: no server offers it')
  shareThreads(options.threads)
  const device = await chooseDevice(options.device)
  let engine: Engine | undefined
  let draining = false
  const calls = new Calls(options.queue)
  const { token, cors } = options
  const app = createApp({ engine: () => engine, draining: () => draining, token, cors, calls })
  const server = await new Promise<ReturnType<typeof listen>>((resolve, reject) => {
    const { host: hostname, port } = options
    const bound = listen({ fetch: app.fetch, hostname, port, serverOptions: requestLimits }, () => resolve(bound))
    if (bound instanceof HttpServer) endUnread(bound, options.writeTimeoutMs)
    bound.once('error', reject)
  })
  const stopped = () => new Promise<void>((resolve) => server.close(() => resolve()))
  try {
    engine = await Engine.load({ ...options, device: device.device, signal })
  } catch (error) {
    const closed = stopped()
    // Those who ask for its health keep their connections.
    if ('closeAllConnections' in server) server.closeAllConnections()
    await closed
    throw error
  }
  const until = async (condition: () => boolean, ms: number): Promise<void> => {
    const deadline = performance.now() + ms
    while (!condition() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const loaded = engine
  const { address, port, family } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    device,
    models: loaded.runners.map(({ role, runner: { model } }) => ({
      role,
      parameters: model.parameters,
      weights: model.precision.weights,
      slots: model.slots,
    })),
    async close() {
      draining = true
      // Between two calls of a run only its context is here.
      await until(() => calls.running === 0 && loaded.contexts.size === 0, options.drainMs)
      calls.abort()
      await until(() => calls.running === 0, GRACE_MS)
      let open = true
      const closed = stopped().then(() => (open = false))
      if ('closeAllConnections' in server) {
        await until(() => (server.closeIdleConnections(), !open), GRACE_MS)
        server.closeAllConnections()
      }
      await closed
      loaded.close()
    },
  }
}
