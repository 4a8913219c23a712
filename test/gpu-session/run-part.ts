/** One part in a process of its own: it ends, or is ended, within its time, and whatever it started with it. */
import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'
import type { Part } from './parts.ts'

export interface Outcome {
  name: string
  status: 'passed' | 'failed' | 'out of time' | 'skipped'
  /** Where it failed or was skipped: why. */
  reason?: string
  seconds: number
  /** As it was typed. */
  command: string
  stdout: string
  /** Its last words on stderr. */
  stderr: string
  /** What it left as JSON. */
  found?: unknown
}

/** A command that says so cannot be run here, and has told why on stderr. */
const SKIPPED = 77
/** From asking a process to stop until it is killed. */
const GRACE_MS = 3_000
const LAST_WORDS = 4_000

/** @param log gets all that it prints, as it comes @param signal ends it */
export async function runPart(part: Part, seconds: number, log: Writable, signal: AbortSignal): Promise<Outcome> {
  const { name, command, args } = part
  const started = performance.now()
  const [stdout, stderr]: [string[], string[]] = [[], []]
  const end = (status: Outcome['status'], reason?: string): Outcome => ({
    name,
    status,
    ...(reason === undefined ? {} : { reason }),
    seconds: (performance.now() - started) / 1000,
    command: [command, ...args].join(' '),
    stdout: stdout.join(''),
    stderr: stderr.join('').slice(-LAST_WORDS),
  })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(Math.round(1000 * seconds))])
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  for (const [stream, kept] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const)
    stream.setEncoding('utf8').on('data', (text: string) => {
      kept.push(text)
      log.write(text)
    })
  const kill = (how: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, how)
    } catch {
      // Nobody is left.
    }
  }
  const stop = () => {
    kill('SIGTERM')
    setTimeout(() => kill('SIGKILL'), GRACE_MS).unref()
  }
  limit.addEventListener('abort', stop, { once: true })
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    child.once('close', (exit, how) => resolve(exit ?? how ?? 'ended'))
  })
  const cut = limit.aborted
  limit.removeEventListener('abort', stop)
  kill('SIGKILL')
  if (code === 'ENOENT') return end('skipped', `there is no ${command}`)
  if (code === SKIPPED) return end('skipped', stderr.join('').trim().split('\n').at(-1) ?? '')
  if (cut) return end('out of time', signal.aborted ? 'the session was stopped' : `${seconds.toFixed(0)} s`)
  return code === 0 ? end('passed') : end('failed', `exit code ${code}`)
}
