/**
 * Loaded into every server before its own code: the server leaves when the process that started it is gone, however
 * that went (crash, `kill -9`), because then its IPC channel closes. What it started leaves with it, however the server
 * itself went: it leads a process group, and a shell in it waits for the end of a pipe that only the server holds.
 */
import { spawn } from 'node:child_process'

const GRACE_MS = 3_000

const last = spawn('/bin/sh', ['-c', 'read -r _; kill -9 "-$1"', 'leash', String(process.pid)], {
  stdio: ['pipe', 'ignore', 'ignore'],
})
last.unref()
// Where it is gone first, nobody need hear of it.
last.on('error', () => undefined)
last.stdin.on('error', () => undefined)

process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.kill(-process.pid, 'SIGKILL'), GRACE_MS).unref()
})
// The channel alone is no reason to go on living.
process.channel?.unref()
