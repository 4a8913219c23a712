import { spawn } from 'node:child_process'
import { cp, mkdtemp, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const cli = fileURLToPath(new URL('cli.ts', import.meta.url))
const models = fileURLToPath(new URL('../models', import.meta.url))

function lookahead(...args: string[]) {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)))
  const exit = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, ...output })),
  )
  return { child, output, exit }
}

test('a model folder that is missing or broken is one clear line and exit code 1', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  try {
    const missing = await lookahead('serve', '--port', '0', '--models', path.join(folder, 'nothing')).exit
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toMatch(/^lookahead: no model folder at .*nothing.*\n$/)
    await cp(path.join(models, 'draft'), path.join(folder, 'target'), { recursive: true })
    await truncate(path.join(folder, 'target/model.safetensors'), 5000)
    const broken = await lookahead('serve', '--port', '0', '--models', folder).exit
    expect(broken).toMatchObject({ code: 1, stdout: '' })
    expect(broken.stderr).toMatch(/^lookahead: .*model\.safetensors.*\n$/)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('wrong flags and commands are one clear line; help is help', async () => {
  expect(await lookahead('serve', '--port', 'many').exit).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^lookahead: --port .*\n$/),
  })
  expect(await lookahead('sevre').exit).toMatchObject({ code: 1, stderr: expect.stringContaining('sevre') })
  expect(await lookahead('serve', '--help').exit).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('LOOKAHEAD_PORT'),
  })
})

test('serves until it is asked to stop, then leaves with code 0', async () => {
  const { child, output, exit } = lookahead('serve', '--port', '0')
  await expect.poll(() => output.stdout, { timeout: 50_000 }).toContain('listening on')
  const url = /listening on (\S+)/.exec(output.stdout)![1]!
  expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'ok' })
  child.kill('SIGTERM')
  expect(await exit).toMatchObject({ code: 0, stderr: '' })
})
