/** A server of somebody else's, as a child of this process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Engine extends AsyncDisposable {
  url: string
}

/** What is kept of its output, for the error. */
const LOG_LINES = 20

/**
 * Resolves once it lists its models.
 * @param args given the port
 * @throws {Error} where it ends before that, with its own last words; the signal's reason
 */
export async function startEngine(
  command: string,
  args: (port: string) => string[],
  signal: AbortSignal,
): Promise<Engine> {
  const port = await freePort()
  const child = spawn(command, args(`${port}`), { stdio: ['ignore', 'pipe', 'pipe'], signal })
  const log: string[] = []
  for (const output of [child.stdout, child.stderr])
    createInterface(output).on('line', (line) => {
      log.push(line)
      if (log.length > LOG_LINES) log.shift()
    })
  const gone = once(child, 'close').catch((error: unknown) => log.push(String(error)))
  let hasEnded = false
  void gone.then(() => (hasEnded = true))
  const url = `http://127.0.0.1:${port}`
  for (;;) {
    const answer = await fetch(`${url}/v1/models`, { signal }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok) break
    signal.throwIfAborted()
    if (hasEnded)
      throw new Error(`${command} ended before it was ready (${child.exitCode ?? child.signalCode})\n${log.join('\n')}`)
    await sleep(200, undefined, { signal })
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      if (!hasEnded) child.kill('SIGKILL')
      await gone
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
