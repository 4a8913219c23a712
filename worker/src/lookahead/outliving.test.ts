/** Backends that fail in the middle of a run: it goes on from what was said, nothing is lost, nothing comes twice. */
import { describe, expect, test } from 'vitest'
import { commits, context, drafts } from '../../test/fake-backend.ts'
import type { Reply, Stream } from '../../test/fake-backend.ts'
import { play } from '../../test/play.ts'

const ar = { lookahead: { mode: 'ar' as const } }
const delta = (text: string, ...tokens: number[]) => ({ type: 'delta', text, tokens })
const error = (code: string) => ({ type: 'error', error: { message: 'm', type: 't', param: null, code } })
/** A call that says this and then breaks off. */
const cut = (...events: Stream['events']): Reply => ({ events: [context(), ...events], finally: 'cut' })
const rest = (text: string, ...tokens: number[]) => commits([], { text, tokens, correction: text, finish: 'stop' })

describe('plain decoding', () => {
  test.each<[string, Reply]>([
    ['breaks off', cut(delta('a', 1, 2), delta('b', 3))],
    ['shuts down', { events: [context(), delta('ab', 1, 2, 3), error('draining')] }],
    ['ends the stream', { events: [context(), delta('ab', 1, 2, 3)] }],
    ['is out of memory', { events: [context(), delta('ab', 1, 2, 3), error('out_of_memory')] }],
    [
      'sends an event twice',
      { events: [context(), delta('a', 1, 2), delta('b', 3), delta('b', 3)], ids: [0, 1, 2, 2] },
    ],
    ['loses an event', { events: [context(), delta('ab', 1, 2, 3), delta('d', 5)], ids: [0, 1, 3] }],
    ['mixes events up', { events: [context(), delta('ab', 1, 2, 3), delta('d', 5), delta('c', 4)], ids: [0, 1, 3, 2] }],
    ['loses the context', { events: [context(), delta('ab', 1, 2, 3), error('context_lost')] }],
  ])('goes on after the tokens that were said, where the backend %s', async (_, broken) => {
    const { text, types, calls, events } = await play([broken, rest('c', 4)], { ...ar, max_tokens: 50 })
    expect(text).toBe('abc')
    expect(types.filter((type) => type === 'run.waiting')).toHaveLength(1)
    expect(calls[1]!.body).toMatchObject({
      context: { id: 'r', prompt: 'How many?', output: [1, 2, 3] },
      max_tokens: 47,
    })
    const usage = { prompt_tokens: 5, completion_tokens: 4 }
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', usage, stats: { output_tokens: 4 } })
  })

  test('does not tell how much was thinking, where a part of that was never counted', async () => {
    const { events: counted } = rest('b', 2)
    const told = counted.map((event) => (event.type === 'commit' ? { ...event, reasoning_tokens: 1 } : event))
    const usage = async (...script: Reply[]) => {
      const last = (await play(script, ar)).events.at(-1)
      return last?.type === 'run.completed' ? last.usage : undefined
    }
    expect(await usage({ events: told })).toEqual({ prompt_tokens: 5, completion_tokens: 1, reasoning_tokens: 1 })
    expect(await usage(cut(delta('a', 1)), { events: told })).toEqual({ prompt_tokens: 5, completion_tokens: 2 })
  })

  test('is complete once the end was committed, however the stream ends', async () => {
    const whole = { ...rest('abc', 1, 2, 3), finally: 'cut' as const }
    const { text, types, calls } = await play([{ ...whole, events: whole.events.slice(0, -1) }], ar)
    expect([text, types.at(-1), calls.length]).toEqual(['abc', 'run.completed', 1])
  })

  test('waits for a backend that is away, says so once, and goes on', async () => {
    const away = { status: 503, code: 'loading', retryAfter: 0 }
    const { text, types } = await play([cut(delta('a', 1)), away, away, rest('b', 2)], ar)
    expect(text).toBe('ab')
    expect(types).toEqual(['run.started', 'text.delta', 'run.waiting', 'text.delta', 'run.completed'])
  })

  test('does not wait for ever', async () => {
    const away = Array.from({ length: 20 }, () => ({ status: 503, code: 'loading', retryAfter: 0 }))
    const { text, events } = await play([cut(delta('a', 1)), ...away], ar, { timeoutMs: 500 })
    expect(text).toBe('a')
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_unavailable' })
  })

  test('has one code for a backend that is gone, wherever it was gone first', async () => {
    const codes = async (script: Reply[]) => {
      const told = (await play(script, ar, { timeoutMs: 100 })).events.at(-1)
      return told?.type === 'run.failed' ? told.code : told
    }
    const gone = Array.from({ length: 20 }, () => ({ status: 502, code: '-' }))
    expect(await codes(gone)).toBe('target_unavailable')
    expect(await codes([cut(), ...gone])).toBe('target_unavailable')
    expect(await codes([cut(delta('a', 1)), ...gone])).toBe('target_unavailable')
    expect(await codes([cut({ type: 'verdict' }), ...gone])).toBe('target_failed')
  })

  test('gives up on a backend that breaks down each time before it has said anything', async () => {
    const half = cut({ type: 'delta', text: '', tokens: [] })
    const { events, calls } = await play([half, half, half, half, half, half], ar)
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_unavailable' })
    expect(calls).toHaveLength(4)
  })

  test('but not where each time it says a little more', async () => {
    const parts = Array.from({ length: 8 }, (_, i) => cut(delta(String(i), i)))
    expect((await play([...parts, rest('!', 9)], ar)).text).toBe('01234567!')
  })

  test('cannot go on after text whose tokens were not told', async () => {
    const { events, text } = await play([cut({ type: 'delta', text: 'a' }), rest('b', 2)], ar)
    expect([text, events.at(-1)!.type]).toEqual(['a', 'run.failed'])
  })
})

describe('lookahead', () => {
  const ruled = (index: number, accepted: boolean) => ({ type: 'verdict', index, accepted, reason: 'judge' })
  const steps = (events: Awaited<ReturnType<typeof play>>['events']) =>
    events.flatMap((event) =>
      'step' in event && event.type !== 'step.drafted' ? [`${event.type} ${event.step} ${event.text.trim()}`] : [],
    )

  test('a verdict whose text had not come is ruled anew, and told once', async () => {
    const first = cut(ruled(0, true))
    const again = commits([[true, 'judge']], {
      text: 'a\n\nend',
      tokens: [1, 2, 3, 4],
      correction: 'end',
      finish: 'stop',
    })
    const { events, text } = await play([drafts('a\n\n'), first, drafts('a\n\n'), again])
    expect(text).toBe('a\n\nend')
    expect(steps(events)).toEqual(['step.accepted 0 a', 'step.corrected 1 end'])
  })

  test('of two verdicts, only the one whose text had come is told before the failure', async () => {
    const first = cut(ruled(0, true), ruled(1, true), delta('a\n\n', 1, 2, 3))
    const { events, text } = await play([drafts('a\n\n', 'b\n\n'), first, drafts('c\n\n'), rest('end', 4)])
    expect(text).toBe('a\n\nend')
    expect(steps(events).filter((step) => step.startsWith('step.accepted'))).toEqual(['step.accepted 0 a'])
  })

  test('what was said of a step of the target stands as a step, and the next one goes on from there', async () => {
    const first = cut(ruled(0, true), ruled(1, false), delta('a\n\nB', 1, 2, 3, 4))
    const last = commits([[true, 'judge']], {
      text: 'c\n\nend',
      tokens: [5, 6, 7, 8],
      correction: 'end',
      finish: 'stop',
    })
    const { events, text, calls } = await play([drafts('a\n\n', 'b\n\n'), first, drafts('c\n\n'), last])
    expect(text).toBe('a\n\nBc\n\nend')
    expect(steps(events)).toEqual([
      'step.accepted 0 a',
      'step.rejected 1 b',
      'step.corrected 1 B',
      'step.accepted 2 c',
      'step.corrected 3 end',
    ])
    expect(calls[2]!.body.context).toMatchObject({ output: [1, 2, 3, 4] })
    expect(events.at(-1)).toMatchObject({ usage: { completion_tokens: 8 }, stats: { accepted_steps: 2 } })
  })

  test('what one cycle said is no more held against the next', async () => {
    const said = (text: string, ...tokens: number[]): Reply => {
      const { events } = commits([[true, 'judge']], { text, tokens, steps: 1 })
      return { events: events.flatMap((event) => (event.type === 'delta' ? [delta(text, ...tokens)] : [event])) }
    }
    const script = [drafts('a\n\n'), said('a\n\n', 1, 2, 3), drafts('b\n\n'), said('b\n\n', 4, 5, 6)]
    const { text, types } = await play([...script, drafts('c\n\n'), rest('c', 7)])
    expect(text).toBe('a\n\nb\n\nc')
    expect(types).not.toContain('run.waiting')
  })

  test('goes on looking ahead', async () => {
    const first = cut(delta('a\n\n', 1))
    const { calls, types } = await play([drafts('a\n\n'), first, drafts('b\n\n'), rest('c', 2)])
    expect(calls.map(({ path }) => path)).toEqual(['/v1/draft', '/v1/verify', '/v1/draft', '/v1/verify'])
    expect(types).not.toContain('run.degraded')
  })
})
