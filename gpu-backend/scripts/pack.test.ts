/** The command as others install it: below `node_modules`, outside this repository. */
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const repository = path.join(import.meta.dirname, '../..')

let app: string
let installed: string

beforeAll(async () => {
  app = await mkdtemp(path.join(tmpdir(), 'lookahead-cli-'))
  installed = path.join(app, 'node_modules/lookahead-reasoning')
  await mkdir(installed, { recursive: true })
  const { stdout } = await run(process.execPath, [path.join(import.meta.dirname, 'pack.ts'), app])
  await run('tar', ['-xzf', stdout.trim(), '-C', installed, '--strip-components', '1'])
  for (const name of Object.keys((await manifest()).dependencies)) {
    await mkdir(path.dirname(path.join(app, 'node_modules', name)), { recursive: true })
    await symlink(path.join(repository, 'node_modules', name), path.join(app, 'node_modules', name))
  }
})
afterAll(() => rm(app, { recursive: true, force: true }))

type Manifest = { version: string; bin: Record<string, string>; dependencies: Record<string, string> }
const manifest = async () => JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as Manifest
const command = async () => path.join(installed, (await manifest()).bin.lookahead!)

test('has what it needs: no sources, nothing of ours that no registry has', async () => {
  const files = await readdir(installed, { recursive: true })
  expect(files.filter((file) => /\.ts$|test|fixtures|training/.test(file))).toEqual([])
  expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'models/target/model.safetensors']))
  expect(Object.keys((await manifest()).dependencies).filter((name) => name.startsWith('@lookahead'))).toEqual([])
  expect((await publint({ pkgDir: installed, strict: true })).messages).toEqual([])
})

test('serves its models, on the thread for long texts too', async () => {
  const { version } = await manifest()
  expect((await run(process.execPath, [await command(), '--version'], { cwd: app })).stdout.trim()).toBe(version)
  const child = spawn(process.execPath, [await command(), 'serve', '--port', '0', '--memory', '64'], {
    cwd: app,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let url = ''
  for await (const line of createInterface(child.stdout)) if ((url = line.split('listening on ')[1] ?? '')) break
  const complete = (prompt: string) =>
    fetch(`${url}/v1/completions`, {
      method: 'POST',
      body: JSON.stringify({ prompt, max_tokens: 4 }),
      headers: { 'content-type': 'application/json' },
    })
  const short = await complete('Step by step:')
  expect([short.status, await short.json()]).toMatchObject([200, { usage: { completion_tokens: 4 } }])
  const long = await complete('one and two '.repeat(4000))
  expect([long.status, await long.json()]).toMatchObject([400, { error: { code: 'context_length_exceeded' } }])
})

test.each(['.', 'worker', 'gpu-backend', 'test'])(
  'npm pack in a folder that is no package says what is: %s',
  async (folder) => {
    const packed = run('npm', ['pack', '--dry-run'], { cwd: path.join(repository, folder) })
    await expect(packed).rejects.toMatchObject({
      stderr: expect.stringMatching(/lookahead: this folder is no package: .*npm pack -w sdk.*npm run pack:cli/),
    })
  },
)
