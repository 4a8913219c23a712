/**
 * Loaded into every server before its own code: the server leaves when the process that started it is gone, however
 * that went (crash, `kill -9`), because then its IPC channel closes. What it started leaves with it: it leads a process group.
 */
import { spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'

const GRACE_MS = 3_000

process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.kill(-process.pid, 'SIGKILL'), GRACE_MS).unref()
})
// The channel alone is no reason to go on living.
process.channel?.unref()

// And where both get `kill -9`, nobody is left to end what the server started, workerd for one: a shell of the same group
// waits for the end of its input, which comes with the server's. Threads load this file too, and may end before it.
if (isMainThread) leaveHeir()

function leaveHeir(): void {
  const heir = spawn('sh', ['-c', `read -r _; kill -KILL -${process.pid}`], { stdio: ['pipe', 'ignore', 'ignore'] })
  heir.unref()
  ;(heir.stdin as Socket).unref()
}
