/** Several steps drafted for one place: what the engine is asked and sent, and what the client hears of them. */
import { RunRequest, isTerminal, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { commits, context } from '../../test/fake-backend.ts'
import type { Reply } from '../../test/fake-backend.ts'
import { end, play } from '../../test/play.ts'
import type { Cycle } from './controller.ts'
import { AdaptiveController } from './adaptive-controller.ts'
import { fixedController } from './controller.ts'
import { cycle } from './cycle.ts'
import type { Ahead, DraftedStep, Following, FollowEvent, Upstream } from './upstream.ts'

const opened = {
  type: 'opened',
  promptTokens: 3,
  channels: { thinking: false, after_tag: false, partial_tag: '' },
} as const
const work = { draftMs: 1, targetMs: 2, judgeMs: 3, forwards: 1, proposed: 4, accepted: 2 }
/** Two places with two alternatives each. */
const drafted: DraftedStep[] = [
  { id: 'a', index: 0, text: 'A.\n\n', tokens: 3 },
  { id: 'b', index: 0, alternative: 1, text: 'B.\n\n', tokens: 4 },
  { id: 'c', index: 1, text: 'C.\n\n', tokens: 5 },
  { id: 'd', index: 1, alternative: 2, text: 'D.\n\n', tokens: 6 },
]
const steps = drafted.map((step) => ({ type: 'step' as const, ...step }))
const verdict = (step: string, accepted: boolean) => ({ type: 'verdict' as const, step, accepted, reason: 'judge' })
/** The second alternative for the first place is kept. */
const ruled = [
  verdict('a', false),
  verdict('b', true),
  { type: 'commit', accepted: 1, steps: 1, text: 'B.\n\n', tokens: 4, correction: '', finish: undefined },
] as const
const last = {
  type: 'commit',
  accepted: 0,
  steps: 1,
  text: 'end',
  tokens: 2,
  correction: 'end',
  finish: 'stop',
} as const

const told = (events: readonly RunEvent[]) =>
  events.flatMap((event) =>
    'step' in event && 'text' in event
      ? [`${event.type} ${event.step}.${'alternative' in event ? event.alternative : 0} ${event.text.trim()}`]
      : [],
  )
const expected = [
  'step.drafted 0.0 A.',
  'step.drafted 0.1 B.',
  'step.drafted 1.0 C.',
  'step.drafted 1.2 D.',
  'step.rejected 0.0 A.',
  'step.accepted 0.1 B.',
]

async function run(upstream: Upstream, lookahead: RunRequestInput['lookahead']) {
  const request = parseRequest(RunRequest, {
    prompt: 'x',
    lookahead: { mode: 'lr+sd', depth: 2, width: 2, ...lookahead },
  })
  const learned: Cycle[] = []
  const { next } = fixedController(request.lookahead)
  const controller = { next, observe: (lesson: Cycle) => void learned.push(lesson) }
  const events: RunEvent[] = []
  const options = { runId: 'r', signal: new AbortController().signal, controller }
  for await (const event of cycle(upstream, request, options)) events.push(event)
  expect(events.filter(isTerminal)).toEqual([events.at(-1)])
  return { events, learned }
}

test('cycle by cycle: all are drafted and sent, events tell them apart, and places are counted once', async () => {
  const asked: Ahead[] = []
  const sent: DraftedStep[][] = []
  const upstream: Upstream = {
    open: () => ({
      async *draft(ahead) {
        if (asked.push(ahead) === 1) yield* [opened, ...steps]
      },
      async *verify(given) {
        const all: DraftedStep[] = []
        for await (const step of given) all.push(step)
        if (sent.push(all) === 1) yield* ruled
        else yield last
        yield { type: 'done', work }
      },
      release: () => Promise.resolve(),
    }),
  }
  const { events, learned } = await run(upstream, { pipelined: false })
  expect(told(events)).toEqual(expected)
  expect(asked).toEqual([
    { depth: 2, width: 2, ngram: 8 },
    { depth: 2, width: 2, ngram: 8 },
  ])
  expect(sent[0]!.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
  expect(learned).toMatchObject([
    { drafted: 2, accepted: 1, acceptedTokens: 4 },
    { accepted: 0, acceptedTokens: 0 },
  ])
  expect(events.at(-1)).toMatchObject({ type: 'run.completed', stats: { accepted_steps: 1 } })
})

test('cycles that follow one another: the same', async () => {
  const tasks: Following[] = []
  const never = (): never => {
    throw new Error('it was to be followed')
  }
  const said: FollowEvent[] = [
    opened,
    ...steps,
    ...ruled,
    { type: 'cycle', waitMs: 9, work },
    last,
    { type: 'cycle', waitMs: 9, work },
  ]
  const upstream: Upstream = {
    open: () => ({
      draft: never,
      verify: never,
      release: () => Promise.resolve(),
      async *follow(task) {
        tasks.push(task)
        yield* said
      },
    }),
  }
  const { events, learned } = await run(upstream, {})
  expect(told(events)).toEqual(expected)
  expect(tasks).toMatchObject([{ depth: 2, width: 2 }])
  expect(learned).toMatchObject([{ drafted: 2, accepted: 1, acceptedTokens: 4 }, { drafted: 0 }])
  expect(events.at(-1)).toMatchObject({ stats: { drafted_steps: 2, accepted_steps: 1 } })
})

describe('our backend', () => {
  const step = (id: string, index: number, text: string, alternative?: number) => ({
    type: 'step',
    id,
    index,
    ...(alternative ? { alternative } : {}),
    text,
    tokens: 3,
    end: 'delimiter',
  })
  const usage = { prompt_tokens: 5, completion_tokens: 3 }
  const timings = { total_ms: 1, draft_ms: 1, target_ms: 1, judge_ms: 0, forwards: 3 }
  const drafts: Reply = {
    events: [
      context(),
      step('a', 0, 'A.\n\n'),
      step('b', 0, 'B.\n\n', 1),
      step('c', 1, 'C.\n\n'),
      { type: 'done', usage, timings },
    ],
  }

  test('is asked for them, sent them with the first of their place, and says which it rules on', async () => {
    const commit = commits([], { text: 'B.\n\n', tokens: [1, 2] })
    commit.events.splice(
      1,
      0,
      { type: 'verdict', index: 0, accepted: false, reason: 'judge' },
      { type: 'verdict', index: 0, alternative: 1, accepted: true, reason: 'judge' },
    )
    Object.assign(
      commit.events.find(({ type }) => type === 'commit')!,
      { accepted: 1, steps: 1 },
    )
    const { events, calls } = await play(
      [drafts, commit, { events: [context(2), { type: 'done', usage, timings }] }, end],
      {
        lookahead: { depth: 2, width: 3 },
      },
    )
    expect(calls[0]!.body).toMatchObject({ depth: 2, width: 3 })
    expect(calls[1]!.body['steps']).toEqual([
      { id: 'a', text: 'A.\n\n', alternatives: [{ id: 'b', text: 'B.\n\n' }] },
      { id: 'c', text: 'C.\n\n' },
    ])
    expect(told(events).filter((line) => !line.startsWith('step.drafted'))).toEqual([
      'step.rejected 0.0 A.',
      'step.accepted 0.1 B.',
    ])
    expect(events.at(-1)).toMatchObject({ type: 'run.completed' })
  })

  test('that rules on one that was not drafted fails the run', async () => {
    const commit = commits([], { text: 'A.\n\n', tokens: [1] })
    commit.events.splice(1, 0, { type: 'verdict', index: 1, alternative: 1, accepted: true, reason: 'judge' })
    const { events } = await play([drafts, commit])
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_failed' })
  })
})

test('every plan that drafts has the width that was asked for', () => {
  for (const controller of [
    fixedController,
    (asked: { mode: 'lr'; depth: number; width: number }) => new AdaptiveController(asked),
  ])
    expect(controller({ mode: 'lr', depth: 4, width: 3 }).next()).toMatchObject({ width: 3 })
})

test.each([0, 9, 1.5])('a width of %d is refused', (width) => {
  expect(() => parseRequest(RunRequest, { prompt: 'x', lookahead: { width } })).toThrow('width')
})
