import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cudaProblem } from '../src/onnxruntime/index.ts'
import type { Report } from './report.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
})
afterAll(() => rm(root, { recursive: true }))

function gpuCheck(...args: string[]) {
  const env = { ...process.env, TMPDIR: root, LOOKAHEAD_CACHE: path.join(root, 'cache') }
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
    execFile(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    ),
  )
}

test('on the CPU every check passes, the report says so, and nothing stays on the disk', async () => {
  const out = path.join(root, 'report.md')
  const { code, stdout } = await gpuCheck(
    '--device',
    'cpu',
    '--shapes',
    'tiny',
    '--rounds',
    '3',
    '--json',
    '--out',
    out,
  )
  const { sections } = JSON.parse(stdout) as Report
  const failed = sections.flatMap(({ checks }) => checks.filter(({ passed }) => !passed))
  expect(failed.map(({ what, seen }) => `${what}: ${seen}`)).toEqual([])
  expect(code).toBe(0)
  expect(sections.map(({ rows, checks }) => rows.length > 0 && checks.length > 0)).toEqual([true, true, true, true])
  expect(sections[3]!.rows.map(({ context }) => context)).toEqual([300, 4096])
  for (const row of sections[3]!.rows)
    expect(row).toMatchObject({ 'tokens/s of 1': expect.any(Number), 'tokens/s of 16': expect.any(Number) })
  expect(await readFile(out, 'utf8')).toMatch(/All \d+ checks passed/)
  expect((await readdir(root)).toSorted()).toEqual(['cache', 'report.md'])
})

test.skipIf(cudaProblem() === undefined)('without CUDA it says in one line why not', async () => {
  const { code, stdout, stderr } = await gpuCheck()
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^gpu:check: .*CUDA cannot be used: .+\n$/)
})

test('a flag that cannot be meant is one line', async () => {
  expect(await gpuCheck('--shapes', '9b')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^npm run gpu:check: .*--shapes.*9b.*\n$/),
  })
})
