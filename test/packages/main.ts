/** Tries the packages as others install them, by each version of Node; `npm run packages -- --help` lists the flags. */
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { script } from '@lookahead/gpu-backend/flags'
import { withStack } from '../launcher/index.ts'

const { node: versions } = script(
  'packages',
  'Installs the tarballs of SDK and command in a fresh folder for each version of Node, asks a question with one and serves models with the other. Needs the npm registry.',
)
  .option('--node <versions>', 'with commas between them', '20,22,24')
  .parse()
  .opts()

const run = promisify(execFile)
const repository = path.join(import.meta.dirname, '../..')
const home = await mkdtemp(path.join(tmpdir(), 'lookahead-packages-'))

const ask = (baseURL: string) => `
import { Lookahead } from '@lookahead/sdk'
const client = new Lookahead({ baseURL: ${JSON.stringify(baseURL)} })
const { finish_reason } = await client.runs.stream({ prompt: 'Step by step:', max_tokens: 8 }).final()
console.log(finish_reason)
`

/** In a fresh folder, everything by this version of Node. @throws what fails */
async function tryOut(version: string, tarballs: string[], workerURL: string): Promise<void> {
  const folder = path.join(home, version)
  const app = path.join(folder, 'app')
  await mkdir(app, { recursive: true })
  await writeFile(path.join(folder, 'package.json'), '{}')
  await writeFile(path.join(app, 'package.json'), '{"type":"module"}')
  await writeFile(path.join(app, 'ask.js'), ask(workerURL))
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', [...install, `node@${version}`], { cwd: folder })
  // Without what ONNX Runtime's package would fetch for CUDA.
  const env = {
    ...process.env,
    PATH: `${folder}/node_modules/.bin:${process.env.PATH}`,
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  }
  await run('npm', [...install, ...tarballs], { cwd: app, env })
  const { stdout: own } = await run('node', ['--version'], { cwd: app, env })
  const { stdout: reason } = await run('node', ['ask.js'], { cwd: app, env })
  console.log(`${own.trim()}  SDK: a run ended with "${reason.trim()}"; command: ${await complete(app, env)} tokens`)
}

/** How many tokens the installed command's server writes of 4. */
async function complete(app: string, env: NodeJS.ProcessEnv): Promise<number> {
  const command = path.join(app, 'node_modules/.bin/lookahead')
  const server = spawn(command, ['serve', '--port', '0', '--memory', '64'], { cwd: app, env })
  try {
    let url = ''
    for await (const line of createInterface(server.stdout)) if ((url = line.split('listening on ')[1] ?? '')) break
    const response = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      body: JSON.stringify({ prompt: 'Step by step:', max_tokens: 4 }),
      headers: { 'content-type': 'application/json' },
    })
    return ((await response.json()) as { usage: { completion_tokens: number } }).usage.completion_tokens
  } finally {
    server.kill()
  }
}

try {
  await run('npm', ['pack', '--pack-destination', home], { cwd: path.join(repository, 'sdk') })
  const { stdout: command } = await run('node', ['gpu-backend/scripts/pack.ts', home], { cwd: repository })
  const { version } = (await import('@lookahead/sdk/package.json', { with: { type: 'json' } })).default
  const tarballs = [path.join(home, `lookahead-sdk-${version}.tgz`), command.trim()]
  await withStack(async ({ workerURL }) => {
    for (const one of versions.split(',')) await tryOut(one, tarballs, workerURL)
  })
} finally {
  await rm(home, { recursive: true, force: true })
}
