/** Builds the worker as `wrangler deploy` does, and runs it in workerd. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { unstable_readConfig } from 'wrangler'
import { workerdConfig } from './workerd-config.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    var: { type: 'string', multiple: true, default: [] },
    v8: { type: 'string', multiple: true, default: [] },
  },
})
/** Wrangler's own workerd. */
const workerd = createRequire(import.meta.resolve('wrangler'))('workerd') as { default: string }
const wrangler = fileURLToPath(new URL('bin/wrangler.js', import.meta.resolve('wrangler/package.json')))

const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-worker-'))
try {
  const bundle = path.join(folder, 'bundle')
  const built = ['deploy', '--dry-run', '--env=', '--config', 'wrangler.toml', '--outdir', bundle]
  await promisify(execFile)(process.execPath, [wrangler, ...built])
  await mkdir(path.join(folder, 'storage'))
  const config = workerdConfig(unstable_readConfig({ config: 'wrangler.toml' }), {
    port: Number(values.port),
    bundle: 'bundle',
    files: await readdir(bundle),
    vars: Object.fromEntries(values.var.map((text) => text.split(/=(.*)/s) as [string, string])),
    storage: path.join(folder, 'storage'),
    v8Flags: values.v8,
  })
  await writeFile(path.join(folder, 'config.capnp'), config)
  await serve()
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Resolves when workerd has ended. */
async function serve(): Promise<void> {
  const child = spawn(workerd.default, ['serve', '--control-fd=3', path.join(folder, 'config.capnp')], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill('SIGKILL'))
  createInterface(child.stdio[3] as Readable).on('line', (line) => {
    const { event, port } = JSON.parse(line) as { event: string; port?: number }
    if (event === 'listen') console.log(`worker listening on http://127.0.0.1:${port}`)
  })
  await once(child, 'exit')
}
