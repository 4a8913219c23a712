import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }

const bin = path.join(import.meta.dirname, '..', packageJson.bin.lookahead)
const version = (node: string) => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? ''
const isOld = (node: string) => /^v(20|21|22|23)\./.test(version(node))
const old = (process.env.PATH ?? '')
  .split(path.delimiter)
  .map((folder) => path.join(folder, 'node'))
  .find((file) => existsSync(file) && isOld(file))

/** This Node, which the launcher takes for an older one. */
const pretending = [
  process.execPath,
  '--import',
  `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } })`,
]
const nodes: [string, string[]][] = [
  ['this Node', [process.execPath]],
  ['one that says it is older', pretending],
]
if (old !== undefined) nodes.push([`Node ${version(old)}`, [old]])

describe.each(nodes)('started by %s', (_, [node, ...flags]) => {
  const lookahead = (...args: string[]) => spawnSync(node!, [...flags, bin, ...args], { encoding: 'utf8' })

  test('the command is what it is on any other, exit codes included', () => {
    expect(lookahead('--version')).toMatchObject({ status: 0, stdout: `${packageJson.version}\n`, stderr: '' })
    const refused = lookahead('pull', 'not a model')
    expect({ status: refused.status, stdout: refused.stdout }).toEqual({ status: 2, stdout: '' })
    expect(refused.stderr).toMatch(/^lookahead: .*'not a model'.*\n$/)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('a service manager stops the server with %s', async (signal) => {
    const child = spawn(node!, [...flags, bin, 'serve', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const exit = new Promise((resolve) => child.once('close', resolve))
    const lines: string[] = []
    for await (const line of createInterface(child.stdout)) {
      lines.push(line)
      if (line.includes('listening on')) child.kill(signal)
    }
    expect(await exit).toBe(0)
    expect(lines.at(-1)).toContain(signal)
  })
})

test('where there is no Node for it, one line says what to do', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lookahead-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  copyFileSync(bin, path.join(folder, 'lookahead.js'))
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
  const [node, ...flags] = pretending
  const { status, stdout, stderr } = spawnSync(node!, [...flags, path.join(folder, 'lookahead.js')], {
    encoding: 'utf8',
  })
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/^lookahead: .*Node 24.*v20\.0\.0.*npm ci.*\n$/)
})
