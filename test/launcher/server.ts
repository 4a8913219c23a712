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

/** A child process that serves HTTP. It ends with this process at the latest, and with it whatever it started. */
export interface Server {
  url: string
  pid: number
  /** The last lines of its output. */
  log: readonly string[]
  /** Settles when it has ended. */
  gone: Promise<unknown>
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
  /** V8's flags for its process, without their dashes. Default: none. */
  v8Flags?: readonly string[] | undefined
  env?: Record<string, string>
  /** Stops it while it starts. */
  signal?: AbortSignal | undefined
}

/** A server could not be started. The message holds its own words. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/**
 * Resolves once `GET /health` answers 200.
 * @throws {StartError} when the server ends before that; the signal's reason
 */
export async function startServer({ name, script, args, v8Flags = [], env, signal }: ServerOptions): Promise<Server> {
  signal?.throwIfAborted()
  const flags = v8Flags.map((flag) => `--${flag}`)
  const child = spawn(process.execPath, [...flags, '--import', leash, script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // The leader of a group of its own: Ctrl-C is not for it, and what it leaves behind can be found.
    detached: true,
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
  child.once('exit', () => killGroup(child.pid!))
  const gone = once(child, 'close')

  const end = async (how: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(how)
    const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
    await gone
    clearTimeout(timer)
  }

  const ended = new AbortController()
  void gone.then(() => ended.abort(new StartError(`${name}: ended before it was ready\n${log.join('\n')}`)))
  try {
    const url = await untilHealthy(address.promise, AbortSignal.any([ended.signal, ...(signal ? [signal] : [])]))
    return { url, pid: child.pid!, log, gone, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
  } catch (error) {
    await end('SIGTERM')
    throw error
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // Nobody is left.
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
