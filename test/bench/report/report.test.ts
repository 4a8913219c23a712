import { asyncSpeedup, syncSpeedup } from '@lookahead/worker/theory'
import { expect, test } from 'vitest'
import { failedRun, ruled, runOf } from '../runs/fixtures.ts'
import type { Conditions, Run } from '../runs/run.ts'
import { budgetPoints } from './budget.ts'
import { livesOf } from './lives.ts'
import { phasesOf } from './phases.ts'
import { reportOn } from './report.ts'
import { ablations, settingsOf } from './settings.ts'
import { summarize } from '../summary.ts'
import { predictions } from './theory.ts'

/** Runs of a setting in `ar` and `lr`, the second so many times as fast. */
const pair = (conditions: Partial<Conditions>, speedup: number): Run[] => [
  runOf({ conditions }),
  runOf({
    conditions,
    mode: 'lr',
    ms: 1000 / speedup,
    timeline: ruled('aar'),
    stats: { drafted_steps: 4, accepted_steps: 2, draft_ms: 40 },
  }),
]

const report = (runs: readonly Run[]) => reportOn(runs, { title: 'Title', name: 'name' })

test('settings that differ in one option are an ablation of it, in its order, and no others', () => {
  const runs = [
    ...pair({ depth: 8 }, 2),
    ...pair({ depth: 1 }, 1.2),
    ...pair({ depth: 2, verifier: 'exact' }, 1),
    ...pair({ depth: 2, rtt: 60 }, 1),
  ]
  const found = ablations(settingsOf(runs))
  expect(found.map(({ option, points }) => [option, points.map(({ value }) => value)])).toEqual([['depth', [1, 8]]])
})

test('options of lookahead are options like others', () => {
  const runs = [...pair({ lookahead: { width: 1 } }, 1), ...pair({ lookahead: { width: 2 } }, 2)]
  expect(ablations(settingsOf(runs))).toMatchObject([{ option: 'width', points: [{ value: 1 }, { value: 2 }] }])
})

test('a report has the figures that its results have something to show for', () => {
  const only = (runs: Run[]) => Object.keys(report(runs).figures).map((file) => file.replace(/^name-|\.svg$/g, ''))
  const always = ['phases', 'timeline']
  expect(only(pair({}, 2))).toEqual(expect.arrayContaining(always))
  expect(only(pair({}, 2))).not.toContain('speedup-depth')
  expect(only([...pair({ depth: 1 }, 1), ...pair({ depth: 2 }, 2)])).toContain('speedup-depth')
  const guessed = [1, 3].flatMap((tokens) => [
    ...pair({ lookahead: { tokens } }, 1),
    runOf({ mode: 'sd', conditions: { lookahead: { tokens } } }),
  ])
  expect(only(guessed)).toEqual(expect.arrayContaining(['speedup-tokens', 'speedup-budget']))
  expect(only([...pair({ rtt: 0 }, 1), ...pair({ rtt: 60 }, 2)])).toContain('speedup-rtt')
  expect(only([...pair({}, 1), ...pair({ verifier: 'exact' }, 2)])).toEqual(
    expect.arrayContaining(['speedup-verifier', 'accuracy-verifier']),
  )
})

test('figures are SVG files that stand by themselves, and the text shows each of them', () => {
  const { markdown, figures } = report([...pair({ depth: 1 }, 1), ...pair({ depth: 2 }, 2)])
  for (const [file, svg] of Object.entries(figures)) {
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/)
    expect(svg).toContain('prefers-color-scheme:dark')
    expect(svg).not.toMatch(/NaN|undefined/)
    expect(markdown).toContain(`](${file})`)
  }
  expect(markdown).toContain(
    '| 2 | `lr` | 1 | 100.0 % (20.7 – 100.0) | 50.0 % | 66.7 % | 200 | 2.00× (2.00× – 2.00×) | 2.00× |',
  )
})

test('`auto` is held against each fixed mode, problem by problem and together', () => {
  const inMode = (mode: string, [first, second]: readonly [number, number], clients = 1) =>
    [first, second].map((ms, n) =>
      runOf({
        mode,
        ms,
        problem: `p${n}`,
        conditions: { concurrency: clients },
        started: `2026-01-01T00:00:0${n}.000Z`,
      }),
    )
  const fast = [...inMode('sd', [500, 300]), ...inMode('auto', [400, 350])]
  const { markdown } = report([...fast, ...inMode('auto', [200, 200], 4), ...inMode('sd', [200, 200], 4)])
  expect(markdown).toContain('| 1 | 1.05 (0.96 – 1.15), 1.07 |')
  expect(markdown).toContain('| 4 | 1.00 (1.00 – 1.00), 1.00 |')
  expect(report(pair({}, 2)).markdown).not.toContain('auto')
})

test('failed runs are said, and a report of nothing else can be made', () => {
  expect(report([...pair({}, 2), failedRun({ problem: 'b', mode: 'lr' })]).markdown).toMatch(
    /3 runs, 1 of which failed[^]*2 \(1 failed\)/,
  )
  expect(report([failedRun()]).markdown).toContain('1 (1 failed)')
})

test('phases come to the whole time, and what ran side by side is said', () => {
  const stats = { elapsed_ms: 900, draft_ms: 200, target_ms: 500, judge_ms: 100 }
  expect(phasesOf([runOf({ ms: 1000, tokens: 100, stats })])).toEqual({
    draft: 2,
    verify: 5,
    judge: 1,
    idle: 1,
    wire: 1,
    overlap: 0,
  })
  const beside = { ...stats, draft_ms: 450 }
  expect(phasesOf([runOf({ ms: 1000, tokens: 100, stats: beside })])).toMatchObject({ idle: 0, overlap: 1.5 })
  expect(phasesOf([failedRun()])).toBeUndefined()
})

test('every step has one fate', () => {
  expect(
    livesOf(runOf({ timeline: ruled('ar', 4) })).map(({ step, fate, from, to }) => [step, fate, from, to]),
  ).toEqual([
    [0, 'accepted', 10, 20],
    [1, 'rejected', 10, 20],
    [1, 'target', 30, 30],
    [2, 'void', 10, 30],
    [3, 'void', 10, 30],
  ])
})

test('alternatives have fates of their own; one that is kept leaves those beside it, and what hung on the first, void', () => {
  const drafted = { at: 10, type: 'step.drafted', text: 'x' }
  const verdict = { at: 20, text: 'x', reason: 'judge', step: 0 }
  const timeline = [
    { ...drafted, step: 0 },
    { ...drafted, step: 0, alternative: 1 },
    { ...drafted, step: 0, alternative: 2 },
    { ...drafted, step: 1 },
    { ...verdict, type: 'step.rejected' },
    { ...verdict, type: 'step.accepted', alternative: 1 },
  ]
  const run = runOf({ timeline, stats: { drafted_steps: 2, accepted_steps: 1 } })
  expect(livesOf(run).map(({ step, fate, to }) => [step, fate, to])).toEqual([
    [0, 'rejected', 20],
    [0, 'accepted', 20],
    [0, 'void', 20],
    [1, 'void', 20],
  ])
  expect(summarize([run], undefined)).toMatchObject({ stepAcceptance: 1, acceptRate: 0.5 })
})

test('a step that the target wrote before a verdict on the drafted one leaves that one void', () => {
  const lives = livesOf(runOf({ timeline: ruled('a', 2) }))
  expect(lives).toContainEqual({ step: 1, fate: 'void', from: 10, to: 30 })
})

test('within a budget the best counts, and a larger one is never worse', () => {
  const runs = [
    ...pair({ depth: 1 }, 2),
    ...pair({ depth: 3 }, 1),
    ...pair({ depth: 7 }, 4),
    ...pair({ depth: 5, adaptive: true }, 9),
  ]
  expect(budgetPoints(settingsOf(runs)).map(({ budget, summary }) => [budget, summary.speedup])).toEqual([
    [2, 2],
    [4, 2],
    [8, 4],
  ])
})

test('predictions are the formulas at the measured rates', () => {
  // 100 tokens in 3 committed steps: one of the target's takes 333 ms alone; drafting one takes 10.
  const [prediction] = predictions(settingsOf(pair({ depth: 4 }, 2)))
  const layer = { acceptance: 2 / 3, cost: 0.03 }
  expect(prediction).toMatchObject({ mode: 'lr', measured: 2, acceptance: 2 / 3 })
  expect(prediction!.cost).toBeCloseTo(0.03)
  expect(prediction!.sync).toBeCloseTo(syncSpeedup(layer, 5))
  expect(prediction!.async).toBeCloseTo(asyncSpeedup(layer, 4))
  expect(predictions(settingsOf(pair({ adaptive: true }, 2)))).toEqual([])
})
