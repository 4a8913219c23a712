/** What a run teaches of time: the phases of its cycles, and nothing of what held them up besides. */
import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fixedController } from './controller.ts'
import type { Cycle } from './controller.ts'
import { cycle } from './cycle.ts'
import { UpstreamError } from './upstream.ts'
import type { Commit, DraftEvent, FollowEvent, Opened, VerifyEvent, Work } from './upstream.ts'

const work: Work = { draftMs: 3, targetMs: 20, judgeMs: 4, forwards: 1, proposed: 0, accepted: 0 }
const channels = { thinking: false, after_tag: false, partial_tag: '' }
const opened: Opened = { type: 'opened', promptTokens: 50, channels }
const away = { type: 'away', error: new UpstreamError('unreachable', 'nobody is there', { retryable: true }) } as const
const said = (text: string): Commit => {
  const finish = text === 'end' ? 'stop' : undefined
  return { type: 'commit', accepted: 0, steps: 1, text, tokens: 2, correction: text, finish }
}

let now = 0
beforeEach(() => {
  now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => now)
})
afterEach(() => vi.restoreAllMocks())

interface Calls {
  draft?: () => (DraftEvent | Error)[]
  verify: () => VerifyEvent[]
  follow?: () => FollowEvent[]
}

/** What a run at such an engine teaches. @param readMs how long its client takes over each piece of text */
async function lessons({ draft, verify, follow }: Calls, readMs = 0): Promise<Cycle[]> {
  async function* events<Event>(told: readonly (Event | Error)[]) {
    for (const event of told) {
      if (event instanceof Error) throw event
      yield event
    }
  }
  const session = {
    draft: () => events(draft?.() ?? []),
    verify: () => events(verify()),
    release: () => Promise.resolve(),
    ...(follow && { follow: () => events(follow()) }),
  }
  const learned: Cycle[] = []
  const lookahead = { mode: draft || follow ? ('lr' as const) : ('ar' as const), depth: 1 }
  const { next } = fixedController(lookahead)
  const controller = { next, observe: (lesson: Cycle) => void learned.push(lesson) }
  const options = { runId: 'r', signal: new AbortController().signal, controller, log: () => undefined }
  const request = parseRequest(RunRequest, { prompt: 'x', lookahead })
  for await (const { type } of cycle({ open: () => session }, request, options))
    if (type === 'text.delta') now += readMs
  return learned
}

let count = 0
const drafts = (draft: { draftMs: number; promptMs?: number; callMs?: number }) => (): DraftEvent[] => {
  count++
  return [
    { type: 'step', id: `${count}`, index: 0, text: 'x\n\n', tokens: 2 },
    { type: 'done', work: draft },
  ]
}
const verifies = (...texts: string[]) => {
  return (told: Partial<Work> = {}, ...before: VerifyEvent[]) =>
    (): VerifyEvent[] => [...before, opened, said(texts.shift()!), { type: 'done', work: { ...work, ...told } }]
}
const times = (cycles: readonly Cycle[]) => cycles.map(({ ms }) => ms)

test('a cycle takes the way of its calls, drafting, guessing, the target and the judge', async () => {
  const verify = verifies('a\n\n', 'end')({ callMs: 30 })
  expect(times(await lessons({ draft: drafts({ draftMs: 60, callMs: 30 }), verify }))).toEqual([147, 147])
})

test('a client that reads slowly teaches nothing', async () => {
  const verify = verifies('a\n\n', 'b\n\n', 'end')()
  expect(times(await lessons({ draft: drafts({ draftMs: 60 }), verify }, 100_000))).toEqual([87, 87, 87])
})

test('reading the prompt is left out, where the engine tells it apart', async () => {
  const told = await lessons({
    draft: drafts({ draftMs: 60, promptMs: 40 }),
    verify: verifies('end')({ promptMs: 15 }),
  })
  expect(told).toMatchObject([{ ms: 32, readsPrompt: false }])
  const untold = await lessons({ draft: drafts({ draftMs: 60 }), verify: verifies('end')({ promptMs: 15 }) })
  expect(untold).toMatchObject([{ ms: 72, readsPrompt: true }])
})

test('a draft call that breaks off and is made again counts once, and one that fails not at all', async () => {
  const cut = new UpstreamError('stream_cut', 'it broke off', { retryable: true })
  const broken = () => ((now += 1_000), [...drafts({ draftMs: 1_000 })().slice(0, 1), cut])
  const tries = [broken, drafts({ draftMs: 60 })]
  expect(times(await lessons({ draft: () => tries.shift()!(), verify: verifies('end')() }))).toEqual([87])
  const refused = () => ((now += 60_000), [new UpstreamError('http_500', 'no')])
  expect(await lessons({ draft: refused, verify: verifies('end')() })).toMatchObject([{ drafted: 0, ms: 27 }])
})

test('of a cycle whose engine was away nobody can say what it took', async () => {
  const draft = drafts({ draftMs: 60 })
  const verify = verifies('a\n\n', 'end')
  const calls = [verify({}, away), verify()]
  expect(times(await lessons({ draft, verify: () => calls.shift()!() }))).toEqual([undefined, 87])
})

test('overlapped, it takes what the target waited and worked, whatever the draft did beside it', async () => {
  const follow = (): FollowEvent[] => [
    away,
    opened,
    said('a\n\n'),
    { type: 'cycle', waitMs: 7, work: { ...work, draftMs: 500, promptMs: 5 } },
    said('end'),
    { type: 'cycle', waitMs: 0, work: { ...work, draftMs: 500, promptMs: 0 } },
  ]
  expect(times(await lessons({ verify: () => [], follow }, 1_000))).toEqual([26, 24])
})
