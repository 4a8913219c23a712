import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { conditions, failedRun, runOf } from './fixtures.ts'
import { readRuns, RunLog } from './log.ts'
import { planRounds } from './plan.ts'
import { Timeline } from './timeline.ts'

async function newFile(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return path.join(folder, 'runs.jsonl')
}

test('a log goes on where it stopped: completed runs are there, failed ones are tried again', async () => {
  const file = await newFile()
  const first = await RunLog.open(file)
  await first.add(runOf())
  await first.add(failedRun({ problem: 'b' }))

  const second = await RunLog.open(file)
  expect(second.completed(runOf())).toEqual(runOf())
  expect(second.completed(failedRun({ problem: 'b' }))).toBeUndefined()
  for (const other of [
    { mode: 'sd' },
    { problem: 'b' },
    { sample: 1 },
    { seed: 1 },
    { conditions: { ...conditions, depth: 5 } },
  ])
    expect(second.completed({ ...runOf(), ...other })).toBeUndefined()

  await second.add(runOf({ problem: 'b' }))
  expect(await readRuns(file)).toEqual([runOf(), runOf({ problem: 'b' })])
})

test('a line that was cut off is made again, and does not spoil the next', async () => {
  const file = await newFile()
  await (await RunLog.open(file)).add(runOf())
  await appendFile(file, JSON.stringify(runOf({ problem: 'é' })).slice(0, 100))
  const log = await RunLog.open(file)
  await log.add(runOf({ problem: 'c' }))
  expect((await readRuns(file)).map(({ problem }) => problem)).toEqual(['a', 'c'])
})

test('a file of something else is refused, and left as it is', async () => {
  const file = await newFile()
  await writeFile(file, '{"question": "x"}\nnotes')
  await expect(RunLog.open(file)).rejects.toThrow(/line 1, is not a run/)
  expect(await readFile(file, 'utf8')).toBe('{"question": "x"}\nnotes')
  await expect(readRuns('nowhere.jsonl')).rejects.toThrow('cannot read nowhere.jsonl (ENOENT)')
})

test('compressed files are read', async () => {
  const file = `${await newFile()}.gz`
  await writeFile(file, gzipSync(`${JSON.stringify(runOf())}\n`))
  expect(await readRuns(file)).toEqual([runOf()])
})

const problems = Array.from({ length: 8 }, (_, i) => ({ id: `${i}`, question: 'x', mark: () => ({ right: 1, of: 1 }) }))
const modes = ['ar', 'sd', 'lr', 'lr+sd'] as const

test('one client: all modes on each problem, each first as often as any other', () => {
  const rounds = planRounds(problems, { modes, samples: 2, seed: 7, concurrency: 1 })
  expect(rounds.every((round) => round.length === 1)).toBe(true)
  const runs = rounds.flat()
  expect(runs).toHaveLength(8 * 4 * 2)
  expect(runs.slice(0, 8).map((run) => run.problem.id + run.mode)).toEqual([
    '0ar',
    '0sd',
    '0lr',
    '0lr+sd',
    '1sd',
    '1lr',
    '1lr+sd',
    '1ar',
  ])
  const firsts = runs.filter((_, at) => at % 4 === 0).map(({ mode }) => mode)
  for (const mode of modes) expect(firsts.filter((first) => first === mode)).toHaveLength(4)
  expect(new Set(runs.map(({ sample, seed }) => `${sample} ${seed}`))).toEqual(new Set(['0 7', '1 8']))
})

test('many clients: a round is of one mode, and all modes make the same runs', () => {
  const rounds = planRounds(problems, { modes, samples: 3, seed: 0, concurrency: 2 })
  for (const round of rounds) expect(new Set(round.map(({ mode }) => mode)).size).toBe(1)
  const made = (mode: string) =>
    rounds
      .flat()
      .filter((run) => run.mode === mode)
      .map((run) => `${run.problem.id}/${run.sample}`)
  expect(new Set(made('ar')).size).toBe(24)
  for (const mode of modes) expect(made(mode)).toEqual(made('ar'))
})

test('a timeline keeps steps as they came, and of text how much', () => {
  const timeline = new Timeline()
  const text = (channel: 'reasoning' | 'answer', of: string) => timeline.add({ type: 'text.delta', channel, text: of })
  text('reasoning', 'abc')
  text('reasoning', 'de')
  timeline.add({ type: 'step.accepted', step: 0, text: 'abcde', reason: 'exact' })
  text('answer', 'f')
  expect(timeline.events).toMatchObject([
    { type: 'text.delta', channel: 'reasoning', length: 5 },
    { type: 'step.accepted', step: 0, text: 'abcde', reason: 'exact' },
    { type: 'text.delta', channel: 'answer', length: 1 },
  ])
  expect(timeline.events.every(({ at }) => at >= 0)).toBe(true)
})
