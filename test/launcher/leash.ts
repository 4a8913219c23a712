/**
 * Loaded into every server before its own code: the server leaves when the process that started it is gone, however
 * that went (crash, `kill -9`), because then its IPC channel closes. What it started leaves with it: it leads a process group.
 */
const GRACE_MS = 3_000

process.on('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.kill(-process.pid, 'SIGKILL'), GRACE_MS).unref()
})
// The channel alone is no reason to go on living.
process.channel?.unref()
