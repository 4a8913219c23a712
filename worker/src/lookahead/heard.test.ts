/** Backends that do other things than they were asked for: the run ends with one code, and their words stay in the log. */
import { describe, expect, test } from 'vitest'
import { commits, context, drafts } from '../../test/fake-backend.ts'
import type { Reply, Stream } from '../../test/fake-backend.ts'
import { end, play } from '../../test/play.ts'

const ar = { lookahead: { mode: 'ar' as const } }
const says = (...events: Stream['events']): Reply => ({ events: [context(), ...events] })
const delta = (text: string, ...tokens: number[]) => ({ type: 'delta', text, tokens })
const commit = (text: string, tokens: number[], more: object = {}) => ({
  type: 'commit',
  accepted: 0,
  steps: 1,
  text,
  tokens,
  correction: text,
  finish_reason: null,
  ...more,
})
const ruled = (index: number, accepted = true) => ({ type: 'verdict', index, accepted, reason: 'judge' })
const some = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('a backend that', () => {
  test.each<[string, Reply[], object?]>([
    ['commits twice in a call', [says(commit('hello', [1]), commit('hello', [1]))]],
    ['says more after its commit', [says(commit('hello', [1]), delta('!', 2))]],
    [
      'accepts steps that there are none of',
      [drafts('a\n\n'), says(ruled(0), commit('a\n\n', [1], { accepted: 50 }))],
      {},
    ],
    ['accepts steps without a verdict', [drafts('a\n\n'), says(commit('a\n\n', [1], { accepted: 1 }))], {}],
    ['rules twice', [drafts('a\n\n'), says(ruled(0, false), ruled(0, true))], {}],
    ['commits more than max_tokens', [says(commit('a', some(21)))]],
    ['says more than max_tokens', [says(...some(30).map((i) => delta('a', i)))]],
    ['commits other text than it said', [says(delta('half', 1), commit('whole', [1]))]],
    ['commits other tokens than it said', [says(delta('half', 1), commit('half', [2]))]],
    ['commits fewer tokens than it said', [says(delta('half', 1, 2), commit('half', [1]))]],
    ['says text without end in a few tokens', [says(...some(20).map((i) => delta('a'.repeat(2 ** 20), i)))]],
    ['says text without end in no tokens', [says(...some(40).map(() => delta('a'.repeat(2 ** 20))))]],
  ])('%s', async (_, script, request = ar) => {
    const { events, text } = await play([...script, end], { ...request, max_tokens: 20 })
    // Not for the form of what it says, nor for what a run that goes on is told after the script's end.
    const message = expect.stringMatching(/^the backend (committed|ruled|went|wrote)/) as string
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_failed', message })
    expect(text.length).toBeLessThan(2 ** 21)
    expect(text).not.toContain('hellohello')
  })

  test.each([
    'overloaded',
    'invalid_request',
    'internal_error',
    'draining',
    'Riddle <b>',
    'context_length_exceeded',
    'constructor',
  ])('fails with words of its own (%s): they are not passed on', async (code) => {
    const secret = 'password of /etc/shadow'
    const error = { message: secret, type: secret, param: secret, code, allowed: [secret] }
    const failing = says({ type: 'error', error })
    const script = Array.from({ length: 20 }, () => failing)
    for (const request of [ar, {}]) {
      const { events } = await play(script, request, { timeoutMs: 90 })
      expect(JSON.stringify(events)).not.toMatch(/password|shadow|Riddle/)
      const said = expect.any(String) as string
      expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: said, message: said })
    }
  })

  test('is newer: what this worker does not know it passes on, or over', async () => {
    const newer = commits([[true, 'sounded right']], { text: 'a\n\nb', tokens: [1, 2, 3, 4], correction: 'b' })
    const events = newer.events.flatMap((event) => [
      { type: 'mood', of: 'the judge' },
      event.type === 'commit' ? { ...event, finish_reason: 'out of patience' } : event,
    ])
    const told = await play([drafts('a\n\n'), { events }])
    expect(told.events.find(({ type }) => type === 'step.accepted')).toMatchObject({ reason: 'sounded right' })
    expect(told.events.at(-1)).toMatchObject({ type: 'run.completed', finish_reason: 'out of patience' })
    expect(told.text).toBe('a\n\nb')
  })
})

describe('a backend that keeps the connection alive and does not get on', () => {
  const alive = (...events: Stream['events']): Reply => ({
    events: [context(), ...events],
    finally: 'hang',
    keepaliveMs: 10,
  })

  test.each<[string, Reply]>([
    ['comments only', alive()],
    ['comments after some text', alive(delta('a', 1))],
    ['its context again and again', { ...(alive() as Stream), keepalive: context() }],
    ['text that is none', { ...(alive() as Stream), keepalive: delta('') }],
  ])('ends a run in time: %s', async (_, reply) => {
    // More than are asked for, however slow this machine is.
    const { events } = await play(
      Array.from({ length: 20 }, () => reply),
      ar,
      { timeoutMs: 60 },
    )
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_unavailable' })
  })

  test('that sends no headers is asked once in the time that a call has', async () => {
    const { calls, events } = await play(['silence', 'silence', 'silence', 'silence'], ar, { timeoutMs: 60 })
    expect(calls).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_unavailable' })
  })
})
