/** Runs whose process was lost: another goes on from any point, nothing is lost, nothing comes twice. */
import { RunRequest, isTerminal, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { commits, context, fakeBackend } from '../../test/fake-backend.ts'
import type { FakeBackend, Reply, Stream } from '../../test/fake-backend.ts'
import { nativeUpstream } from '../upstreams/native.ts'
import { cycleWithProgress } from './cycle.ts'
import type { Progress, SavedRun } from './checkpoint.ts'

/** What the target writes: each token's text, and what a delta says at a time. */
const tokens = ['a ', 'b\n', '\n', '</th', 'ink>', '\n\n', 'c ', '', 'd']
const whole = { reasoning: 'a b', answer: 'c d' }
const deltas = [1, 3, 4, 5, 6, 9]

const timings = { total_ms: 1, draft_ms: 1, target_ms: 1, judge_ms: 0, forwards: 3 }
const done = {
  type: 'done',
  usage: { prompt_tokens: 5, completion_tokens: 1 },
  timings,
  speculation: { proposed: 2, accepted: 1 },
}

/** A call that writes the tokens from number `from` on, the last of them only in its commit where they do not end the text. */
function rest(from: number, until = tokens.length): Stream {
  const ends = deltas.filter((to) => to > from && (to < until || until === tokens.length))
  const said = ends.map((to, i) => {
    const start = Math.max(from, i === 0 ? from : ends[i - 1]!)
    return { type: 'delta', text: tokens.slice(start, to).join(''), tokens: idsOf(start, to) }
  })
  const text = tokens.slice(from, until).join('')
  const end = {
    accepted: 0,
    steps: 1,
    text,
    tokens: idsOf(from, until),
    correction: text,
    finish_reason: until < tokens.length ? null : 'stop',
  }
  return { events: [context(from), ...said, { type: 'commit', ...end }, done] }
}
const idsOf = (from: number, to: number) => tokens.slice(from, to).map((_, i) => from + i)

type Told = RunEvent | Progress

/** Runs to the end, or until so many events and counts of progress were told. */
async function run(fake: FakeBackend, mode: 'ar' | 'lr', begun?: SavedRun, most = Infinity): Promise<Told[]> {
  const request = parseRequest(RunRequest, { prompt: 'How?', lookahead: { mode, pipelined: false } })
  const upstream = nativeUpstream({ baseURL: fake.url })
  const options = { runId: 'r', signal: new AbortController().signal, log: () => undefined }
  const told: Told[] = []
  for await (const event of cycleWithProgress(upstream, request, options, begun)) if (told.push(event) >= most) break
  return told
}

/** What is on disk of a process that was lost: all that progress covers. */
function stored(told: Told[]): { events: RunEvent[]; begun: SavedRun | undefined } {
  const covered = told.slice(0, told.findLastIndex(({ type }) => type === 'progress') + 1)
  const made = covered.filter((event) => event.type === 'progress')
  const checkpoint = made.at(-1)?.checkpoint
  const ids = made.flatMap(({ said }) => said.ids)
  const text = made.map(({ said }) => said.text).join('')
  return { events: eventsOf(covered), begun: checkpoint && structuredClone({ checkpoint, said: { ids, text } }) }
}

const eventsOf = (told: Told[]) => told.filter((event) => event.type !== 'progress')
const textOn = (channel: string, events: RunEvent[]) =>
  events.map((event) => (event.type === 'text.delta' && event.channel === channel ? event.text : '')).join('')

async function losing(
  first: Reply[],
  mode: 'ar' | 'lr',
): Promise<{ points: number; check: (at: number) => Promise<void> }> {
  await using fake = await fakeBackend(first)
  const told = await run(fake, mode)
  expect(told.at(-1)).toMatchObject({ type: 'run.completed' })
  const { length: points } = told
  const check = async (at: number) => {
    await using lost = await fakeBackend(first)
    const { events, begun } = stored(await run(lost, mode, undefined, at))
    if (!begun) return expect(events).toEqual([])
    await using next = await fakeBackend(
      mode === 'lr'
        ? [{ status: 400, code: 'no_draft_model' }, rest(begun.said.ids.length)]
        : [rest(begun.said.ids.length)],
    )
    const after = eventsOf(await run(next, mode, begun))
    const all = [...events, ...after]
    expect(textOn('reasoning', all)).toBe(whole.reasoning)
    expect(textOn('answer', all)).toBe(whole.answer)
    expect(all.filter(isTerminal)).toEqual([all.at(-1)])
    expect(all.filter(({ type }) => type === 'run.started')).toHaveLength(1)
    const isEnded = begun.checkpoint.finish !== undefined
    expect(after.filter((event) => event.type === 'run.waiting').map(({ code }) => code)).toEqual(
      isEnded ? [] : ['interrupted'],
    )
    expect(all.at(-1)).toMatchObject({
      type: 'run.completed',
      finish_reason: 'stop',
      usage: { prompt_tokens: 5, completion_tokens: tokens.length },
      stats: { output_tokens: tokens.length },
    })
    // Whole, with all that was said, and nothing else.
    const sent = next.calls.at(-1)?.body
    if (!isEnded) expect(sent!.context).toMatchObject({ id: 'r', prompt: 'How?', output: begun.said.ids })
    if (!isEnded) expect(sent!.max_tokens).toBe(1024 - begun.said.ids.length)
  }
  return { points, check }
}

describe('a run that another process takes up', () => {
  test('goes on from wherever it was lost, in plain decoding', async () => {
    const { points, check } = await losing([rest(0)], 'ar')
    expect(points).toBeGreaterThan(10)
    for (let at = 1; at < points; at++) await check(at)
  })

  test('goes on from wherever it was lost, in one cycle after another', async () => {
    const { points, check } = await losing([rest(0, 4), rest(4)], 'ar')
    for (let at = 1; at < points; at++) await check(at)
  })

  test('goes on from wherever it was lost, with steps, of which none is told of twice', async () => {
    const step = { type: 'step', id: 's0', index: 0, text: 'a b\n\n', tokens: 3, end: 'delimiter' }
    const drafted: Reply = { events: [context(), step, { ...done, speculation: undefined }] }
    const { events } = rest(0)
    const verdict = { type: 'verdict', index: 0, accepted: true, reason: 'judge' }
    const commit = { ...events.at(-2)!, accepted: 1, steps: 2, correction: tokens.slice(3).join('') }
    const verified: Reply = { events: [context(), verdict, ...events.slice(1, -2), commit, done] }
    const { points, check } = await losing([drafted, verified], 'lr')
    for (let at = 1; at < points; at++) await check(at)
    await using lost = await fakeBackend([drafted, verified])
    const cut = (await run(lost, 'lr')).findIndex((event) => event.type === 'text.delta' && event.channel === 'answer')
    await using again = await fakeBackend([drafted, verified])
    const { begun } = stored(await run(again, 'lr', undefined, cut + 2))
    expect(begun!.checkpoint).toMatchObject({ steps: 2, stats: { accepted_steps: 1 } })
    expect(begun!.checkpoint.untold).toMatchObject([{ type: 'step.corrected', step: 1 }])
  })

  test('cannot, where the engine does not tell its tokens', async () => {
    await using fake = await fakeBackend([
      { events: [context(), { type: 'delta', text: 'a' }], finally: 'cut' },
      commits([], { text: 'a', tokens: [1], finish: 'stop' }),
    ])
    const told = await run(fake, 'ar')
    expect(stored(told.slice(0, 4)).begun).toBeUndefined()
  })
})
