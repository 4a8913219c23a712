import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'

/** How long a server may take to stop before it is killed. */
const GRACE_MS = 5_000
const HEALTH_INTERVAL_MS = 50
/** What is kept of a server's output for error messages. */
const LOG_LINES = 40

const leash = new URL('leash.ts', import.meta.url).href
const root = fileURLToPath(new URL('../..', import.meta.url))

/** A child process that serves HTTP. It ends with this process at the latest. */
export interface Server {
  url: string
  pid: number
  /** The last lines of its output. */
  log: readonly string[]
  /** Asks it to stop, kills it when it does not; resolves when it is gone. */
  stop(): Promise<void>
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>
}

export interface ServerOptions {
  /** What error messages call it. */
  name: string
  /** TypeScript file that prints a line ending with `listening on <URL>` on stdout. */
  script: string
  args: string[]
  env?: Record<string, string>
  /** Time until `GET /health` answers 200, in milliseconds. */
  timeoutMs: number
}

/** @throws {Error} when the server ends or is not healthy in time, with the end of its output. */
export async function startServer({ name, script, args, env, timeoutMs }: ServerOptions): Promise<Server> {
  const child = spawn(process.execPath, ['--import', leash, script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const log: string[] = []
  const address = Promise.withResolvers<string>()
  for (const output of [child.stdout, child.stderr]) {
    createInterface(output!).on('line', (line) => {
      log.push(line)
      if (log.length > LOG_LINES) log.shift()
      const url = /listening on (http\S+)$/.exec(line)?.[1]
      if (url) address.resolve(url.replace(/\/$/, ''))
    })
  }
  const gone = once(child, 'close')

  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
    await gone
    clearTimeout(timer)
  }

  const controller = new AbortController()
  const deadline = setTimeout(() => controller.abort(`not ready after ${timeoutMs} ms`), timeoutMs)
  void gone.then(() => controller.abort('ended before it was ready'))
  try {
    const url = await untilHealthy(address.promise, controller.signal)
    return { url, pid: child.pid!, log, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
  } catch {
    await end('SIGKILL')
    throw new Error(`${name}: ${controller.signal.reason}\n${log.join('\n')}`)
  } finally {
    clearTimeout(deadline)
  }
}

async function untilHealthy(address: Promise<string>, signal: AbortSignal): Promise<string> {
  const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  const url = await Promise.race([address, aborted])
  for (;;) {
    const response = await fetch(`${url}/health`, { signal }).catch(() => undefined)
    await response?.body?.cancel()
    if (response?.ok) return url
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, HEALTH_INTERVAL_MS))
  }
}
