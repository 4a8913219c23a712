import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../demo/run.ts'
import { runPart } from './run-part.ts'
import type { Part } from './parts.ts'
import type { Summary } from './summary.ts'

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

async function session(...args: string[]) {
  const out = path.join(await newFolder(), 'found')
  const { exit, output } = run('../gpu-session/main.ts', '--out', out, '--device', 'cpu', '--shapes', 'tiny', ...args)
  const code = await exit
  const read = (name: string) => readFile(path.join(out, name), 'utf8').catch(() => '')
  const text = await read('summary.json')
  const summary = text === '' ? undefined : (JSON.parse(text) as Summary)
  return { out, code, ...output, summary, markdown: await read('summary.md'), read }
}

/** A program in the place of Python. */
async function python(script: string): Promise<string> {
  const file = path.join(await newFolder(), 'python')
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
  return file
}

test('what is found is in two summaries, every run in a file, and what cannot be run here is skipped', async () => {
  const only = 'pool,transformers,models,forced'
  const { out, code, summary, markdown, read } = await session('--only', only, '--python', '/nowhere/python')
  expect(summary!.parts.map(({ name, status }) => [name, status])).toEqual([
    ['pool', 'passed'],
    ['transformers tiny', 'skipped'],
    ['random models', 'passed'],
    ['forced R1-Distill 32B/1.5B', 'passed'],
    ['forced Qwen3 32B/1.7B', 'passed'],
  ])
  expect(code).toBe(0)
  expect(summary!.left).toEqual([])
  expect(summary!.parts[0]!.found).toMatchObject({ sections: [{ title: expect.any(String), rows: expect.any(Array) }] })
  expect(markdown).toContain('there is no /nowhere/python')
  expect(markdown).toMatch(/\| lr\+sd \| 2 \| 4 \| [\d.]+ \| [\d.]+ × \|/)
  const runs = (await read('runs.jsonl')).trim().split('\n')
  expect(runs).toHaveLength(8)
  // Whatever is drawn, nothing but the limit ends a text of noise.
  for (const line of runs) expect(JSON.parse(line)).toMatchObject({ tokens: 60, finish: 'length' })
  expect((await readdir(out)).toSorted()).toEqual(['output.log', 'runs.jsonl', 'summary.json', 'summary.md'])
})

test('a part that fails is told with its last words, and the next are made', async () => {
  const failing = await python('echo half of it; echo it broke >&2; exit 3')
  const { code, summary, markdown, read } = await session('--only', 'transformers,models', '--python', failing)
  expect(summary!.parts).toMatchObject([
    { status: 'failed', reason: 'exit code 3', stdout: 'half of it\n', stderr: 'it broke\n' },
    { status: 'passed' },
  ])
  expect(code).toBe(1)
  expect(markdown).toContain('it broke')
  expect(await read('output.log')).toContain('half of it')
})

test('when the time is over what runs is ended, and what is left is named', async () => {
  const hanging = await python('echo so far; sleep 600')
  const { code, summary } = await session('--only', 'transformers,models', '--minutes', '0.08', '--python', hanging)
  expect(summary!.parts).toMatchObject([
    { status: 'out of time', stdout: 'so far\n' },
    { status: 'skipped', reason: 'no time was left' },
  ])
  expect(code).toBe(1)
})

test('a part that does not stop when asked is killed, with all that it started', async () => {
  const stubborn = `process.on('SIGTERM', () => undefined)
    const child = require('node:child_process').spawn('sleep', ['600'])
    console.log(child.pid)
    setInterval(() => undefined, 1000)`
  const part: Part = { kind: 'pool', name: 'stubborn', command: process.execPath, args: ['-e', stubborn], limit: 2 }
  const outcome = await runPart(part, part.limit, new PassThrough().resume(), new AbortController().signal)
  expect(outcome).toMatchObject({ status: 'out of time', stdout: expect.stringMatching(/^\d+\n$/) })
  expect(() => process.kill(Number(outcome.stdout), 0)).toThrow(/ESRCH/)
})

test('flags that cannot be meant are one line and exit code 2', async () => {
  const { code, stdout, stderr } = await session('--only', 'everything')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^npm run gpu:session: .*everything.*\n$/)
})
