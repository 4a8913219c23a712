/** Cycles that follow one another at the engine: what the run makes of what it says, and when it plans anew. */
import { RunRequest, isTerminal, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import type { Controller, Plan } from './controller.ts'
import { cycle } from './cycle.ts'
import { UpstreamError } from './upstream.ts'
import type { Following, FollowEvent, Upstream } from './upstream.ts'

type Said = FollowEvent | Error
const opened: Said = {
  type: 'opened',
  promptTokens: 3,
  channels: { thinking: false, after_tag: false, partial_tag: '' },
}
const work = { draftMs: 1, targetMs: 2, judgeMs: 3, forwards: 1, proposed: 4, accepted: 2 }
const step = (index: number, text: string): Said => ({ type: 'step', id: text, index, text, tokens: 2 })
const ruled = (text: string, accepted: boolean, reason = 'likely'): Said => ({
  type: 'verdict',
  step: text,
  accepted,
  reason,
})
const commit = (accepted: number, text: string, correction = '', finish?: 'stop'): Said => ({
  type: 'commit',
  accepted,
  steps: accepted + Number(correction !== ''),
  text,
  tokens: 2,
  correction,
  finish,
})
const cycleEnd: Said = { type: 'cycle', waitMs: 5, work }

/** An engine that says this, call after call; a call ends early once the next one has come. */
function scripted(...calls: Said[][]) {
  const tasks: Following[] = []
  const signals: AbortSignal[] = []
  let released = 0
  const never = (): never => {
    throw new Error('it was to be followed')
  }
  const upstream: Upstream = {
    open: () => ({
      draft: never,
      verify: never,
      release: async () => void released++,
      follow(task, signal) {
        signals.push(signal)
        const said = calls[tasks.push(task) - 1] ?? []
        return (async function* () {
          for (const event of said) {
            if (event instanceof Error) throw event
            yield event
          }
        })()
      },
    }),
  }
  return { upstream, tasks, signals, released: () => released }
}

async function run(
  { upstream }: { upstream: Upstream },
  lookahead: RunRequestInput['lookahead'] = { mode: 'lr+sd', depth: 4, verifier: 'likelihood', threshold: 0.4 },
  controller?: Controller,
): Promise<RunEvent[]> {
  const request = parseRequest(RunRequest, { prompt: 'How many?', lookahead })
  const events: RunEvent[] = []
  const options = { runId: 'r', signal: new AbortController().signal, controller, log: () => undefined }
  for await (const event of cycle(upstream, request, options)) events.push(event)
  expect(events.filter(isTerminal)).toEqual([events.at(-1)])
  return events
}

const textOf = (events: readonly RunEvent[]) => events.map((e) => (e.type === 'text.delta' ? e.text : '')).join('')

test('steps, verdicts and text come in the order of the engine, and every step in its place', async () => {
  const engine = scripted([
    opened,
    step(0, 'a\n\n'),
    step(1, 'b\n\n'),
    ruled('a\n\n', true),
    ruled('b\n\n', true),
    commit(2, 'a\n\nb\n\n'),
    cycleEnd,
    step(0, 'c\n\n'),
    ruled('c\n\n', false, 'unlikely'),
    commit(0, 'C\n\n', 'C\n\n'),
    cycleEnd,
    commit(0, 'end', 'end', 'stop'),
    cycleEnd,
  ])
  const events = await run(engine)
  const told = events.flatMap((event) =>
    event.type.startsWith('step.') && 'step' in event ? [`${event.type} ${event.step} ${event.text.trim()}`] : [],
  )
  expect(told).toEqual([
    'step.drafted 0 a',
    'step.drafted 1 b',
    'step.accepted 0 a',
    'step.accepted 1 b',
    'step.drafted 2 c',
    'step.rejected 2 c',
    'step.corrected 2 C',
  ])
  expect(textOf(events)).toBe('a\n\nb\n\nC\n\nend')
  expect(events.at(-1)).toMatchObject({
    type: 'run.completed',
    usage: { prompt_tokens: 3, completion_tokens: 6 },
    stats: { cycles: 3, drafted_steps: 3, accepted_steps: 2, proposed_tokens: 12, target_ms: 6, draft_ms: 3 },
  })
  expect(engine.tasks).toEqual([
    expect.objectContaining({ depth: 4, verifier: 'likelihood', threshold: 0.4, overlap: undefined, maxTokens: 1024 }),
  ])
  expect(engine.released()).toBe(0)
})

test('the controller learns from every cycle', async () => {
  const seen: (number | undefined)[][] = []
  const tokens = { drafted: true, ngram: 0, draft: 0 }
  const controller: Controller = {
    next: () => ({ depth: 2, width: 1, steps: 1, tokens }),
    observe: ({ drafted, accepted, ms }) => void seen.push([drafted, accepted, ms]),
  }
  const first = [opened, step(0, 'a\n\n'), ruled('a\n\n', true), commit(1, 'a\n\n'), cycleEnd]
  await run({ ...scripted([...first, commit(0, 'end', 'end', 'stop'), cycleEnd]) }, undefined, controller)
  expect(seen).toEqual([
    [1, 1, 10],
    [0, 0, 10],
  ])
})

test('a new plan takes over while the last one is at work, once', async () => {
  const plans: Plan[] = [4, 4, 2, 1].map((depth) => ({
    depth,
    width: 1,
    steps: 1,
    tokens: { drafted: true, ngram: 0, draft: 0 },
  }))
  let at = 0
  const controller: Controller = { next: () => plans[Math.min(at++, plans.length - 1)]!, observe: () => undefined }
  const again = [commit(0, 'x\n\n', 'x\n\n'), cycleEnd]
  // Two more cycles of the first call come before the second takes over.
  const engine = scripted(
    [opened, ...again, ...again, ...again, ...again],
    [opened, commit(0, 'end', 'end', 'stop'), cycleEnd],
  )
  const events = await run(engine, { mode: 'auto', depth: 4 }, controller)
  expect(textOf(events)).toBe('x\n\nx\n\nx\n\nx\n\nend')
  expect(engine.tasks.map(({ depth, maxTokens }) => [depth, maxTokens])).toEqual([
    [4, 1024],
    [2, 1024],
  ])
})

describe('what fails', () => {
  test('a draft: it is told once, and the target writes on alone', async () => {
    const failed: Said = { type: 'undrafted', error: new UpstreamError('no_draft_model', 'none') }
    const engine = scripted(
      [opened, failed, commit(0, 'x\n\n', 'x\n\n'), cycleEnd],
      [commit(0, 'end', 'end', 'stop'), cycleEnd],
    )
    const events = await run(engine)
    expect(events.filter(({ type }) => type === 'run.degraded')).toMatchObject([
      { part: 'draft', code: 'no_draft_model' },
    ])
    expect(textOf(events)).toBe('x\n\nend')
    expect(engine.tasks.map(({ depth }) => depth)).toEqual([4, 0])
  })

  test('the judge: the same', async () => {
    const engine = scripted(
      [opened, step(0, 'a\n\n'), ruled('a\n\n', false, 'judge_failed'), commit(0, 'x\n\n', 'x\n\n'), cycleEnd],
      [commit(0, 'end', 'end', 'stop'), cycleEnd],
    )
    const events = await run(engine)
    expect(events.filter(({ type }) => type === 'run.degraded')).toMatchObject([{ part: 'judge' }])
    expect(engine.tasks.map(({ depth }) => depth)).toEqual([4, 0])
  })

  test.each<[string, Said[], string]>([
    ['a call that breaks off', [opened, new UpstreamError('stream_cut', 'cut')], 'target_unavailable'],
    ['one that ends without an end of the text', [opened, commit(0, 'x', 'x'), cycleEnd], 'target_unavailable'],
    ['a cycle without a commit', [opened, cycleEnd], 'target_failed'],
    [
      'a cycle that brings nothing',
      [opened, { ...(commit(0, '') as object), tokens: 0 } as Said, cycleEnd],
      'target_failed',
    ],
    ['a verdict on a step that nobody drafted', [opened, ruled('z', true)], 'target_failed'],
  ])('%s fails the run, and gives the text up', async (_, said, code) => {
    const engine = scripted(said)
    expect((await run(engine)).at(-1)).toMatchObject({ type: 'run.failed', code })
    expect(engine.released()).toBe(1)
  })
})

test('a call that ends early, because another took over that nobody reads, is gone on from', async () => {
  const engine = scripted(
    [opened, commit(0, 'x\n\n', 'x\n\n'), cycleEnd],
    [opened, commit(0, 'end', 'end', 'stop'), cycleEnd],
  )
  let recovered = 0
  const { open } = engine.upstream
  engine.upstream.open = (text) => ({ ...open(text), recover: () => void recovered++ })
  const events = await run(engine)
  expect([textOf(events), events.at(-1)!.type, recovered]).toEqual(['x\n\nend', 'run.completed', 1])
})

test('what goes on beside a run ends with it', async () => {
  const engine = scripted([opened, commit(0, 'a', '', 'stop')])
  await run(engine)
  expect(engine.signals.map(({ aborted }) => aborted)).toEqual([true])
})

test('a stretch that the target writes alone is one cycle, and what comes after it is asked for at once', async () => {
  const plans: Plan[] = [
    { depth: 0, width: 1, steps: 4, tokens: { drafted: true, ngram: 8, draft: 16 } },
    { depth: 3, width: 1, steps: 1, tokens: { drafted: true, ngram: 8, draft: 16 } },
  ]
  const controller: Controller = { next: () => plans.shift()!, observe: () => expect(engine.tasks).toHaveLength(2) }
  const engine = scripted(
    [opened, commit(0, 'x\n\n', 'x\n\n'), cycleEnd],
    [opened, commit(0, 'end', 'end', 'stop'), cycleEnd],
  )
  expect(textOf(await run(engine, { mode: 'auto', depth: 4 }, controller))).toBe('x\n\nend')
  expect(engine.tasks.map(({ depth, decode }) => [depth, decode])).toEqual([
    [0, 4],
    [3, 1],
  ])
})
