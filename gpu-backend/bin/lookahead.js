#!/usr/bin/env node
// The CLI needs Node 24: it is TypeScript, and has `using`. An older one hands its process over to the Node that `npm ci`
// brought, as the shell's `exec` does: signals, terminal and exit code are then the CLI's own, and nobody stands between.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const needed = 24
const cli = new URL('../src/cli.ts', import.meta.url)
const require = createRequire(import.meta.url)

if (Number.parseInt(process.versions.node, 10) >= needed) await import(cli.href)
else {
  const node = bundledNode()
  if (node !== undefined && process.platform !== 'win32')
    replaceProcess(node, [fileURLToPath(cli), ...process.argv.slice(2)])
  console.error(
    `lookahead: this needs Node ${needed} or later and was started by v${process.versions.node}: run npm ci in Lookahead's repository, which brings one, or put a newer Node first in PATH`,
  )
  process.exitCode = 1
}

function bundledNode() {
  try {
    const file = path.join(path.dirname(require.resolve('node/package.json')), 'bin/node')
    return existsSync(file) ? file : undefined
  } catch {
    return undefined
  }
}

/** Returns only if the file cannot be run. */
function replaceProcess(file, args) {
  const libc = require('koffi').load(null)
  const setFlags = libc.func('int fcntl(int fd, int command, ...)')
  const F_SETFD = 2
  // Node closes its standard streams to what it executes.
  for (const stream of [0, 1, 2]) setFlags(stream, F_SETFD, 'int', 0)
  libc.func('int execv(const char *file, const char **args)')(file, [file, ...args, null])
}
