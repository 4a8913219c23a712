import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { run } from '../demo/run.ts'

/** On the worker that all tests share, unless it needs its own. */
async function bench(...args: string[]) {
  const { exit, output } = run('../bench/bench.ts', ...args)
  return { code: await exit, ...output }
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

test('flags that cannot be meant are one line and exit code 2', async () => {
  for (const args of [
    ['--nope'],
    ['--modes', 'ar,fast'],
    ['--dataset', 'nowhere.jsonl'],
    ['--url', 'http://127.0.0.1:1', '--rtt', '20'],
    ['--check-exact', '--verifier', 'judge'],
    ['--lookahead', 'nonsense=1'],
  ]) {
    const { code, stdout, stderr } = await bench(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^npm run bench: .+\n$/)
  }
})

test('a worker that is not there is one line and exit code 1', async () => {
  const { code, stdout, stderr } = await bench('--url', 'http://127.0.0.1:1', '--limit', '1', '--json')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^.+\n$/)
})

test('for programs, one line of JSON; a benchmark that is there already is not made again', async () => {
  const out = path.join(await newFolder(), 'runs.jsonl')
  const args = [
    '--url',
    inject('workerURL'),
    '--limit',
    '2',
    '--modes',
    'ar,lr+sd',
    '--concurrency',
    '2',
    '--json',
    '--out',
    out,
  ]
  const first = await bench(...args)
  expect(first.code).toBe(0)
  expect(Object.keys(JSON.parse(first.stdout) as object)).toEqual(['problems', 'options', 'modes'])
  const numbers = { accuracy: expect.any(Number), tokensPerSecond: expect.any(Number) }
  expect(JSON.parse(first.stdout)).toMatchObject({
    problems: 2,
    options: { limit: 2, modes: ['ar', 'lr+sd'] },
    modes: {
      ar: { ...numbers, acceptRate: null, speedup: 1, speedupQuartiles: [1, 1] },
      'lr+sd': { ...numbers, acceptRate: expect.any(Number), speedup: expect.any(Number) },
    },
  })
  const written = await readFile(out, 'utf8')
  expect(written.trim().split('\n')).toHaveLength(4)
  expect((await bench(...args)).stdout).toBe(first.stdout)
  expect(await readFile(out, 'utf8')).toBe(written)

  const report = run('../bench/report/main.ts', out, '--to', path.dirname(out))
  expect(await report.exit).toBe(0)
  expect(await readFile(path.join(path.dirname(out), 'report.md'), 'utf8')).toContain('`lr+sd`')
})

test('runs that fail are put down, and the others are made', async () => {
  const file = path.join(await newFolder(), 'problems.jsonl')
  const lines = [
    { question: 'Mara has 12 shells and finds 5. How many shells are there?', answer: '17' },
    { question: 'shells '.repeat(8000), answer: '1' },
  ]
  await writeFile(file, lines.map((line) => JSON.stringify(line)).join('\n'))
  const out = `${file}.runs`
  const { code, stdout } = await bench(
    '--url',
    inject('workerURL'),
    '--dataset',
    file,
    '--modes',
    'ar',
    '--max-tokens',
    '64',
    '--json',
    '--out',
    out,
  )
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ problems: 2, modes: { ar: { runs: 2, failed: 1 } } })
  const runs = (await readFile(out, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(runs).toMatchObject([
    { problem: '0', tokens: expect.any(Number) },
    { problem: '1', error: { message: expect.stringMatching(/context/) } },
  ])
})

test('exactness holds over a distance', async () => {
  const { code, stdout } = await bench('--limit', '1', '--modes', 'lr+sd', '--rtt', '30', '--check-exact')
  expect(stdout).toMatch(/lr\+sd: 1 of 1 equal\n$/)
  expect(code).toBe(0)
})

test('no report is made of nothing', async () => {
  const report = run('../bench/report/main.ts', 'nowhere.jsonl')
  expect(await report.exit).toBe(2)
  expect(report.output.stderr).toBe('npm run bench:report: cannot read nowhere.jsonl (ENOENT)\n')
})
