import * as v from 'valibot'
import { expect, test } from 'vitest'
import {
  calibrate,
  compare,
  crossValidate,
  curve,
  drawText,
  plain,
  RecordedRun,
  simulate,
  stepAcceptance,
  textOf,
  tokenRates,
} from './index.ts'
import type { Text, Way, World } from './index.ts'

const STEP_TOKENS = 25

/** What the benchmark would have written of a run in a world known to the last number. A token is a letter. */
function record(problem: string, mode: string, text: Text, way: Way, world: World): RecordedRun {
  const did = simulate(text, way, world)
  const timeline: RecordedRun['timeline'] = []
  const letters = (count: number, letter: string) => letter.repeat(count)
  for (let done = 0; way.depth > 0 && done < text.steps.length;) {
    const ahead = text.steps.slice(done, way.kind === 'sync' ? done + way.depth : undefined)
    const refused = ahead.findIndex(({ accepted }) => !accepted)
    const judged = refused < 0 ? ahead : ahead.slice(0, refused + 1)
    for (const [i, { drafted }] of ahead.slice(0, way.depth).entries())
      timeline.push({ type: 'step.drafted', step: done + i, text: letters(drafted, 'd') })
    for (const [i, { drafted, own, agreed, accepted }] of judged.entries()) {
      const reason = accepted && agreed === own && way.reuse ? 'exact' : 'judge'
      const drafting = letters(agreed, 's') + letters(drafted - agreed, 'd')
      timeline.push({ type: accepted ? 'step.accepted' : 'step.rejected', step: done + i, text: drafting, reason })
      const next = ahead[i + way.depth]
      if (accepted && next)
        timeline.push({ type: 'step.drafted', step: done + i + way.depth, text: letters(next.drafted, 'd') })
    }
    done += judged.length
    const last = refused < 0 && way.kind === 'sync' ? text.steps[done++] : text.steps[done - 1]
    if (last && (refused >= 0 || way.kind === 'sync'))
      timeline.push({
        type: 'step.corrected',
        step: done - 1,
        text: letters(last.agreed, 's') + letters(last.own - last.agreed, 'o'),
      })
    timeline.push({ type: 'run.stats' })
  }
  return v.parse(RecordedRun, {
    problem,
    mode,
    conditions: { rtt: world.roundTrip, depth: Math.max(1, way.depth) },
    ms: did.ms,
    tokens: did.tokens,
    text: letters(did.tokens, 'x'),
    stats: {
      cycles: did.starts,
      drafted_steps: did.draftedSteps,
      accepted_steps: did.acceptedSteps,
      proposed_tokens: did.proposed + (way.reuse ? did.draftedTokens : 0),
      target_forwards: did.forwards,
      draft_ms: did.busy.draft,
      target_ms: did.busy.target,
      judge_ms: did.busy.judge,
    },
    timeline,
  })
}

const machine: World = {
  target: [
    [1, 1.8],
    [64, 14],
  ],
  draftToken: 0.3,
  guess: 0.2,
  judge: 0.7,
  roundTrip: 0,
  call: 5,
}
const lengths = [12, 20, 31, 40, 55, 60]
const texts = lengths.map((count, seed) =>
  drawText({ steps: 0.6, tokens: 0.7, stepTokens: STEP_TOKENS, agreement: 0.98 }, count, seed),
)
const ways: Record<string, Way> = {
  ar: plain,
  sd: { ...plain, guesses: 6 },
  lr: { ...plain, depth: 4 },
  'lr+sd': { ...plain, depth: 4, guesses: 6, reuse: true },
}
const runsOf = (changed: Record<string, Partial<Way>> = {}, world = machine) =>
  Object.entries(ways).flatMap(([mode, way]) =>
    texts.map((text, i) => record(String(i), mode, text, { ...way, ...changed[mode] }, world)),
  )

test('costs are found again from what runs tell', () => {
  const found = calibrate(runsOf())
  const close = (value: number, to: number) => expect(Math.abs(value / to - 1), `${value}, ${to}`).toBeLessThan(0.05)
  for (const tokens of [1, 4, 7, 64]) close(curve(found.target)(tokens), curve(machine.target)(tokens))
  close(found.draftToken, 0.3)
  close(found.guess, 0.2)
  close(found.judge, 0.7)
  close(found.call, 5)
})

test.each([
  ['sync', 0.05],
  ['async', 0.08],
] as const)('runs that no cost was fitted to are predicted: %s, within %f', (kind, most) => {
  for (const roundTrip of [0, 60]) {
    const runs = runsOf({ lr: { kind }, 'lr+sd': { kind } }, { ...machine, roundTrip })
    const rows = crossValidate(runs)
    expect(rows.map((row) => [row.mode, row.runs])).toEqual(Object.keys(ways).map((mode) => [mode, 3]))
    for (const { mode, way, error } of rows) {
      if (mode.startsWith('lr')) expect(way.kind).toBe(kind)
      expect(Math.abs(error), `${mode} ${error}`).toBeLessThan(most)
    }
  }
})

test('a slower part is seen in what is predicted', () => {
  const runs = runsOf()
  const world = calibrate(runs)
  const lookahead = (costs: World) => compare(runs, costs).find(({ mode }) => mode === 'lr+sd')!.predicted
  expect(lookahead({ ...world, draftToken: 3 * world.draftToken })).toBeGreaterThan(1.2 * lookahead(world))
})

test('rates are read from runs', () => {
  const runs = runsOf()
  const steps = texts.flatMap((text) => text.steps)
  expect(Math.abs(stepAcceptance(runs)! - steps.filter(({ accepted }) => accepted).length / steps.length)).toBeLessThan(
    0.03,
  )
  expect(stepAcceptance(runs.filter(({ mode }) => mode === 'ar'))).toBeUndefined()
  const { guesses, acceptance } = tokenRates(runs)
  expect(guesses).toBe(6)
  expect(Math.abs(acceptance - 0.7)).toBeLessThan(0.03)
  expect(() => calibrate(runs.filter(({ mode }) => mode === 'lr'))).toThrow(/no runs of the mode ar/)
})

test("a run's text is read from its events: what was accepted, how long it was, what both had in common", () => {
  const run = v.parse(RecordedRun, {
    ...runsOf()[0],
    mode: 'lr+sd',
    tokens: 50,
    text: 'x'.repeat(100),
    timeline: [
      { type: 'step.drafted', step: 0, text: 'a'.repeat(20) },
      { type: 'step.accepted', step: 0, text: 'a'.repeat(20), reason: 'exact' },
      { type: 'step.rejected', step: 1, text: 'bbbbbccccc', reason: 'numbers' },
      { type: 'step.corrected', step: 1, text: 'bbbbbddddddddddddddd' },
      { type: 'run.stats' },
    ],
  })
  expect(textOf(run).steps).toEqual([
    { drafted: 10, own: 10, agreed: 10, accepted: true },
    { drafted: 5, own: 10, agreed: 2, accepted: false },
    // What no step tells of.
    { drafted: 0, own: 30, agreed: 0, accepted: false },
  ])
})
