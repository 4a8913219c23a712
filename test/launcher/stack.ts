import { startBackend } from './backend.ts'
import type { BackendOptions } from './backend.ts'
import type { Server } from './server.ts'
import { startWorker } from './worker.ts'

/** Backend and worker, running on this machine. */
export interface Stack {
  backendURL: string
  workerURL: string
  backend: Server
  worker: Server
  stop(): Promise<void>
}

export interface StackOptions extends Omit<BackendOptions, 'port'> {
  /** Default: free ones. */
  backendPort?: number
  workerPort?: number
}

export async function startStack({ backendPort = 0, workerPort = 0, ...options }: StackOptions = {}): Promise<Stack> {
  const backend = await startBackend({ ...options, port: backendPort })
  try {
    const worker = await startWorker({ backendURL: backend.url, port: workerPort })
    const stop = async () => {
      await worker.stop()
      await backend.stop()
    }
    return { backendURL: backend.url, workerURL: worker.url, backend, worker, stop }
  } catch (error) {
    await backend.stop()
    throw error
  }
}

/** Runs `main` with a stack that is stopped afterwards, also after Ctrl-C. */
export async function withStack(main: (stack: Stack) => Promise<void>, options?: StackOptions): Promise<void> {
  const interrupted = Promise.withResolvers<NodeJS.Signals>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.resolve(signal))

  const starting = startStack(options)
  starting.catch((error: unknown) => {
    // The stack trace of a launcher says nothing: the server's own words do.
    console.error(error instanceof Error ? error.message : error)
    process.exit(1)
  })
  const running = starting.then(main)
  try {
    const signal = await Promise.race([running, interrupted.promise])
    if (signal) process.exitCode = signal === 'SIGINT' ? 130 : 143
    // What fails now fails because its servers are being stopped.
    running.catch(() => undefined)
  } finally {
    await starting.then(
      (stack) => stack.stop(),
      () => undefined,
    )
  }
  // Whatever `main` still waits for will not come.
  if (process.exitCode !== undefined) process.exit()
}
