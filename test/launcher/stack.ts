import { constants } from 'node:os'
import { LookaheadError } from '@lookahead/sdk'
import { startBackend } from './backend.ts'
import type { BackendOptions } from './backend.ts'
import { StartError } from './server.ts'
import type { Server } from './server.ts'
import { startWorker } from './worker.ts'
import type { WorkerOptions } from './worker.ts'

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
  /** How long the worker waits for the backend, in seconds. Default: the worker's. */
  timeoutSeconds?: number | undefined
  /** Starts the worker. Default: in wrangler's development server. */
  serve?: ((options: WorkerOptions) => Promise<Server>) | undefined
  /** Stands between worker and backend, given the backend's URL. Default: nothing. */
  link?: ((backendURL: string) => Promise<{ url: string; close(): Promise<void> }>) | undefined
}

/** @throws as `startServer` does */
export async function startStack({
  backendPort = 0,
  workerPort = 0,
  timeoutSeconds,
  serve = startWorker,
  link: put,
  ...options
}: StackOptions = {}): Promise<Stack> {
  const backend = await startBackend({ ...options, port: backendPort })
  const link = await put?.(backend.url)
  try {
    const backendURL = link?.url ?? backend.url
    const worker = await serve({ backendURL, port: workerPort, timeoutSeconds, signal: options.signal })
    const stop = async () => {
      await worker.stop()
      await link?.close()
      await backend.stop()
    }
    return { backendURL: backend.url, workerURL: worker.url, backend, worker, stop }
  } catch (error) {
    await link?.close()
    await backend.stop()
    throw error
  }
}

/** Runs `main` with a stack that is stopped afterwards. Ctrl-C and SIGTERM stop everything at any time, without a word. */
export async function withStack(main: (stack: Stack) => Promise<void>, options?: StackOptions): Promise<void> {
  const controller = new AbortController()
  const { signal } = controller
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(name))
  const unwatch = watchNpm(() => controller.abort('SIGTERM'))
  const interrupted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

  console.error('starting backend and worker …')
  try {
    const stack = await startStack({ ...options, signal })
    try {
      const running = main(stack)
      // What fails once the servers are being stopped fails because of that.
      running.catch(() => undefined)
      await Promise.race([running, interrupted])
    } finally {
      await stack.stop()
    }
  } catch (error) {
    if (!signal.aborted) {
      // Where it was thrown says nothing: what the server or the client says does.
      if (!(error instanceof StartError || LookaheadError.isInstance(error))) throw error
      console.error(error.message)
      process.exitCode = 1
    }
  }
  unwatch()
  if (signal.aborted) process.exitCode = 128 + constants.signals[signal.reason as NodeJS.Signals]
  // Whatever `main` still waits for will not come.
  if (process.exitCode !== undefined) process.exit()
}

/** npm that is told to stop ends the shell in which it runs a script, and the shell tells nobody: only its absence shows. */
function watchNpm(onEnd: () => void): () => void {
  if (process.env.npm_lifecycle_event === undefined) return () => undefined
  const shell = process.ppid
  const timer = setInterval(() => process.ppid !== shell && onEnd(), 500)
  return () => clearInterval(timer)
}
