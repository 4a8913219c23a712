import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url))

const plan = (...args: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) =>
    execFile(process.execPath, [cli, 'plan', ...args], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    ),
  )
const rates = ['--alpha1', '0.6', '--alpha2', '0.7', '--c1', '0.1', '--c2', '0.05']

test('the best choices, by the formulas, and which theorem speaks', async () => {
  const { code, stdout } = await plan(...rates, '--budget', '32')
  expect(code).toBe(0)
  // Written out: f_sync(4) = (1 − 0.6⁴)/(0.4 · 1.3), g(7) = (1 − 0.7⁷)/(0.3 · 1.3).
  const best = ((1 - 0.6 ** 4) / (0.4 * 1.3)) * ((1 - 0.7 ** 7) / (0.3 * 1.3))
  expect(stdout).toMatch(new RegExp(`sync +4 +7 +${best.toFixed(2)}× +theorem 3: both layers`))
  expect(stdout).toMatch(/async +6 +5 +4\.94× +theorem 4: both layers/)
  expect(stdout).not.toContain('by the clock')
})

test('--rtt plays both cycles by the clock; --json is for programs', async () => {
  const { stdout } = await plan(...rates, '--budget', '32', '--rtt', '60', '--json')
  const result = JSON.parse(stdout)
  expect(result).toMatchObject({
    layers: { steps: { acceptance: 0.6, cost: 0.1 }, tokens: { acceptance: 0.7, cost: 0.05 } },
    budget: 32,
    kinds: { sync: { optimum: { steps: 4, tokens: 7 } }, async: { optimum: { steps: 6, tokens: 5 } } },
  })
  for (const { near, far } of result.distance) {
    expect(far.sync).toBeLessThan(near.sync)
    expect(far.async).toBeLessThan(near.async)
  }
  expect(result.distance.length).toBeGreaterThan(4)
})

/** What a mode's run took here in milliseconds, and what it was: 100 tokens, of forwards of 2 ms. */
const line = (problem: string, mode: string, changed: object, timeline: object[] = []) => {
  const stats = {
    cycles: 1,
    drafted_steps: 0,
    accepted_steps: 0,
    proposed_tokens: 0,
    target_forwards: 100,
    draft_ms: 0,
    target_ms: 200,
    judge_ms: 0,
  }
  const conditions = { depth: 8, rtt: 0 }
  return JSON.stringify({
    problem,
    mode,
    conditions,
    ms: 210,
    tokens: 100,
    text: '',
    stats: { ...stats, ...changed },
    timeline,
  })
}
const verdicts = ['accepted', 'accepted', 'rejected'].map((verdict, step) => ({
  type: `step.${verdict}`,
  step,
  text: 'so many words in a step',
  reason: 'judge',
}))
const runs = ['a', 'b']
  .flatMap((problem) => [
    line(problem, 'ar', {}),
    line(problem, 'sd', { target_forwards: 40, target_ms: 160, proposed_tokens: 160, draft_ms: 40 }),
    line(problem, 'lr', { drafted_steps: 3, accepted_steps: 2, draft_ms: 30 }, verdicts),
    JSON.stringify({ problem, mode: 'lr', error: { code: 'target_failed', message: 'it broke' } }),
  ])
  .join('\n')

async function file(name: string, content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const to = path.join(folder, name)
  await writeFile(to, content)
  return to
}

test('--from takes rates from runs, gzipped too, and compares; what is given goes before', async () => {
  const plain = await plan('--from', await file('runs.jsonl', runs), '--json')
  expect(plain).toMatchObject({ code: 0, stderr: '' })
  const { layers, comparison, costs } = JSON.parse(plain.stdout)
  expect(layers.steps.acceptance).toBeCloseTo(2 / 3, 9)
  // 40 forwards of 4 guesses wrote 100 tokens, and a guess took a quarter of a millisecond.
  expect(layers.tokens.acceptance).toBeGreaterThan(0.6)
  expect(layers.tokens.acceptance).toBeLessThan(0.75)
  expect(costs.target[0][1]).toBeCloseTo(2, 0)
  expect(comparison.map((row: { mode: string; runs: number }) => [row.mode, row.runs])).toEqual([
    ['ar', 1],
    ['sd', 1],
    ['lr', 1],
  ])
  const zipped = await file('runs.jsonl.gz', await promisify(gzip)(runs))
  const { stdout } = await plan('--from', zipped, '--alpha1', '0.9', '--forwards', '1:3,64:5')
  expect(stdout).toMatch(/α1 0\.9,/)
  expect(stdout).toMatch(/mode +runs +measured +predicted +error/)
})

test('what is missing or broken is one clear line', async () => {
  expect(await plan('--alpha1', '0.6')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^lookahead: plan needs --\w+, or --from .*\n$/),
  })
  for (const wrong of [
    ['--alpha1', '1.5'],
    ['--budget', '0'],
    ['--forwards', '4:2,1:3'],
    ['--forwards', '4'],
  ])
    expect(await plan(...rates, ...wrong)).toMatchObject({ code: 2, stderr: expect.stringContaining(wrong[0]!) })
  expect(await plan('--from', '/nowhere.jsonl')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('/nowhere.jsonl'),
  })
  const broken = await plan('--from', await file('runs.jsonl', `${runs}\n{"mode": "ar"}`))
  expect(broken).toMatchObject({ code: 1, stderr: expect.stringMatching(/^lookahead: .*line 9.*problem.*\n$/) })
  const noPlain = await plan('--from', await file('runs.jsonl', line('a', 'lr', {})))
  expect(noPlain.stderr).toMatch(/no runs of the mode ar/)
})
