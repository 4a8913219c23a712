/** What a run teaches, and what its client hears. */
import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { commits, context, drafts } from '../../test/fake-backend.ts'
import type { Reply } from '../../test/fake-backend.ts'
import { end, play } from '../../test/play.ts'
import { fixedController } from './controller.ts'
import type { Cycle } from './controller.ts'
import { cycle } from './cycle.ts'
import type { Upstream, VerifyEvent } from './upstream.ts'

const ar = { lookahead: { mode: 'ar' as const } }
/** A verify call that commits one step of so many tokens. */
const step = (tokens: number) => {
  const text = 'a\n\n'
  return commits([], { text, tokens: Array.from({ length: tokens }, (_, i) => i), correction: text })
}

describe('what a run teaches', () => {
  async function lessons(script: Reply[]): Promise<Cycle[]> {
    const learned: Cycle[] = []
    const { next } = fixedController({ mode: 'lr+sd', depth: 2 })
    await play(script, {}, { controller: { next, observe: (lesson) => void learned.push(lesson) } })
    return learned
  }

  test('every cycle: what was drafted, accepted and committed', async () => {
    const rulings: [boolean, string][] = [
      [true, 'judge'],
      [false, 'judge'],
    ]
    const first = commits(rulings, { text: 'a\n\nB\n\n', tokens: [1, 2, 3, 4, 5, 6], correction: 'B\n\n' })
    const several = commits([], { text: 'c d e', tokens: [7, 8], correction: 'c d e', steps: 3 })
    const cycles = await lessons([drafts('a\n\n', 'b\n\n'), first, drafts('c\n\n'), several, drafts('e\n\n'), end])
    expect(cycles).toMatchObject([
      // The fake backend's steps have 3 tokens.
      { drafted: 2, accepted: 1, acceptedTokens: 3, tokens: 6, isLast: false },
      { drafted: 1, accepted: 0, acceptedTokens: 0, tokens: 2, isLast: false },
      { drafted: 1, accepted: 0, isLast: true },
    ])
  })

  test('whether the time of the first cycle is also that of a prompt longer than what it wrote', async () => {
    // The fake backend's prompts have 5 tokens.
    const reads = (cycles: Cycle[]) => cycles.map(({ readsPrompt }) => readsPrompt)
    expect(reads(await lessons([drafts('a\n\n'), step(4), drafts('b\n\n'), step(4), drafts('c\n\n'), end]))).toEqual([
      true,
      false,
      false,
    ])
    expect(reads(await lessons([drafts('a\n\n'), step(5), drafts('b\n\n'), end]))).toEqual([false, false])
  })
})

describe('the client hears', () => {
  test('what was done, all cycles together', async () => {
    const first = commits([[true, 'exact']], { text: 'a\n\nb\n\n', tokens: [1, 2], correction: 'b\n\n' })
    const { events } = await play([drafts('a\n\n', 'x\n\n'), first, drafts('c\n\n'), end])
    expect(events.at(-1)).toMatchObject({
      type: 'run.completed',
      finish_reason: 'stop',
      usage: { prompt_tokens: 5, completion_tokens: 3 },
      stats: {
        cycles: 2,
        drafted_steps: 3,
        accepted_steps: 1,
        output_tokens: 3,
        proposed_tokens: 4,
        accepted_tokens: 2,
        target_forwards: 6,
        // A draft call took 1 ms, a verify call 1 ms of draft and of target.
        draft_ms: 4,
        target_ms: 2,
        judge_ms: 0,
      },
    })
    expect(events.filter(({ type }) => type === 'run.stats')).toMatchObject([{ stats: { cycles: 1 } }])
  })

  test('a verdict on a step that was not drafted, from a backend that is wrong, ends the run', async () => {
    const wrong = commits([[true, 'exact']], { text: 'a\n\n', tokens: [1] })
    expect((await play([wrong], ar)).events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_failed' })
  })

  /** What is told of a run whose engine drafts the step `mine` and says this of it. */
  async function troubles(...said: VerifyEvent[]): Promise<unknown[]> {
    const upstream: Upstream = {
      open: () => ({
        async *draft() {
          yield { type: 'step', id: 'mine', index: 0, text: 'x\n\n', tokens: 2 }
        },
        async *verify() {
          yield* said
        },
        release: () => Promise.resolve(),
      }),
    }
    const told: unknown[] = []
    const log = (trouble: unknown): void => void told.push(trouble)
    const options = { runId: 'r', signal: new AbortController().signal, log }
    for await (const _ of cycle(upstream, parseRequest(RunRequest, { prompt: 'x' }), options));
    return told
  }

  test('the same of an engine that names its steps itself', async () => {
    const told = await troubles({ type: 'verdict', step: 'another', accepted: true, reason: 'exact' })
    expect(told).toMatchObject([{ event: 'run.failed', code: 'target_failed', backend_code: 'bad_event' }])
  })

  test('of a verification that ends without a commit, that the run has failed', async () => {
    const work = { draftMs: 0, targetMs: 0, judgeMs: 0, forwards: 1, proposed: 0, accepted: 0 }
    const verdict = { type: 'verdict', step: 'mine', accepted: true, reason: 'exact' } as const
    const told = await troubles(verdict, { type: 'done', work })
    expect(told.at(-1)).toMatchObject({ event: 'run.failed', backend_code: 'no_commit' })
  })

  test('no half of a tag, and the white space around it in neither channel', async () => {
    const pieces = ['so', ' 3', '\n', '\n</thi', 'nk>\n', '\n', '3!']
    const text = pieces.join('')
    const events = [
      context(),
      ...pieces.map((piece) => ({ type: 'delta', text: piece })),
      { type: 'commit', accepted: 0, steps: 1, text, tokens: [1], correction: text, finish_reason: 'stop' },
      end.events.at(-1)!,
    ]
    const said = { reasoning: '', answer: '' }
    for (const event of (await play([{ events }], ar)).events)
      if (event.type === 'text.delta') said[event.channel as keyof typeof said] += event.text
    expect(said).toEqual({ reasoning: 'so 3', answer: '3!' })
  })
})
