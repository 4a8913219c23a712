/** Backends that do other things than they were asked for: the run ends with one code, and their words stay in the log. */
import { RunRequest, encodeEvent, parseRequest } from '@lookahead/sdk/protocol'
import type { RunRequestInput } from '@lookahead/sdk/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { commits, context, drafts } from '../../test/fake-backend.ts'
import type { Reply, Stream } from '../../test/fake-backend.ts'
import { end, play } from '../../test/play.ts'
import { nativeUpstream } from '../upstreams/native.ts'
import { cycle } from './cycle.ts'

const ar = { lookahead: { mode: 'ar' as const } }
const says = (...events: Stream['events']): Stream => ({ events: [context(), ...events] })
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
const refuting = (...events: Stream['events']) => [drafts('a\n\n'), says(ruled(0, false), ...events)]
const accepting = (...events: Stream['events']) => [drafts('a\n\n'), says(ruled(0), ...events)]
/** What its text ends with may begin a stop string. */
const holding = commits([], { text: 'b', tokens: [1], correction: 'b\n\n' })
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
    ['commits more than max_tokens', [says(commit('a', some(21), { finish_reason: 'stop' }))]],
    ['says more than max_tokens', [says(...some(30).map((i) => delta('a', i)))]],
    ['commits other text than it said', [says(delta('half', 1), commit('whole', [1]))]],
    ['commits other tokens than it said', [says(delta('half', 1), commit('half', [2]))]],
    ['commits fewer tokens than it said', [says(delta('half', 1, 2), commit('half', [1]))]],
    ['says text without end in a few tokens', [says(...some(20).map((i) => delta('a'.repeat(2 ** 20), i)))]],
    ['says text without end in no tokens', [says(...some(40).map(() => delta('a'.repeat(2 ** 20))))]],
    ['corrects with other text than it commits', refuting(commit('b', [1], { correction: 'x' })), {}],
    ['corrects with text without end', refuting(commit('b', [1], { correction: `b${'x'.repeat(3e6)}` })), {}],
    ['corrects with more than it commits', refuting(commit('b', [1], { correction: 'bx' })), {}],
    ['counts steps without end', refuting(commit('b', [1], { steps: 1000 })), {}],
    ['counts fewer steps than it accepts', accepting(commit('a\n\n', [1], { accepted: 1, steps: 0 })), {}],
    ['accepts a step and commits other text', accepting(commit('zzz', [1], { accepted: 1 })), {}],
    ['accepts a step and leaves it out', accepting(commit('zzz', [1])), {}],
    ['accepts a step and says other text', accepting(delta('zzz', 1, 2, 3)), {}],
    [
      'commits other text where some is held back for a stop string',
      [drafts('a\n\n'), holding, ...accepting(commit('\n\nzz', [1], { accepted: 1 }))],
      { stop: ['\n\nc'] },
    ],
    [
      'rules with a step of its own without end',
      [drafts('a\n\n'), says({ ...ruled(0), target: 'x'.repeat(3e6) }, commit('a\n\n', [1], { accepted: 1 }))],
      {},
    ],
    ['counts more thinking than it commits', [says(commit('hello', [1], { reasoning_tokens: 2 }))]],
    [
      'begins a cycle in a call that has one',
      [says({ ...commits([], { text: '', tokens: [] }).events.at(-1)!, type: 'cycle' })],
    ],
  ])('%s', async (_, script, request = ar) => {
    const { events, text } = await play([...script, end], { ...request, max_tokens: 20 })
    // Not for the form of what it says, nor for what a run that goes on is told after the script's end.
    const message = expect.stringMatching(/^the backend (began|committed|ruled|went|wrote)/) as string
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_failed', message })
    expect(text.length).toBeLessThan(2 ** 21)
    expect(text).not.toContain('hellohello')
    const untrue = events.filter((event) => event.type === 'step.accepted' || event.type === 'step.corrected')
    expect(untrue.filter((event) => !text.includes(event.text.trim()))).toEqual([])
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

describe('text that is not all of its steps, and honest', () => {
  const finished = { correction: 'c', finish: 'stop' as const }

  test('may be held back for a stop string, and come with the next cycle', async () => {
    const next = commits([[true, 'exact']], { text: '\n\na\n\nc', tokens: [1, 2], ...finished })
    const { events, text } = await play([drafts('a\n\n'), holding, drafts('a\n\n'), next], { stop: ['\n\nd'] })
    expect([events.at(-1)!.type, text]).toEqual(['run.completed', 'b\n\na\n\nc'])
  })

  test('may end with a stop string amid an accepted step', async () => {
    const next = commits([[true, 'exact']], { text: 'a', tokens: [1], finish: 'stop' })
    const { events, text } = await play([drafts('a stop b\n\n'), next], { stop: [' stop'] })
    expect([events.at(-1)!.type, text]).toEqual(['run.completed', 'a'])
  })

  test('may go on from what was held back before a failure', async () => {
    const cut: Reply = { ...says(delta('b', 1, 2)), finally: 'cut' }
    const next = commits([[true, 'exact']], { text: '\n\na\n\nc', tokens: [1, 2], ...finished })
    const { events, text } = await play([drafts('x\n\n'), cut, drafts('a\n\n'), next], { stop: ['\n\nd'] })
    expect([events.at(-1)!.type, text]).toEqual(['run.completed', 'b\n\na\n\nc'])
  })

  test.each([
    ['\uFFFD\uFFFD apples\n\n', '🍎 apples\n\nc'],
    ['apples', '\uFFFDapplesc'],
  ])('may share a character with the step before: %j', async (step, said) => {
    const next = commits([[true, 'exact']], { text: said, tokens: [1, 2], ...finished })
    const { events, text } = await play([drafts(step), next])
    expect([events.at(-1)!.type, text]).toEqual(['run.completed', said])
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
    ['events that nobody knows', { ...(alive() as Stream), keepalive: { type: 'mood' } }],
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

describe('a backend that takes calls and sends no headers', () => {
  afterEach(() => void vi.useRealTimers())

  /** @returns how the run ended, after how many seconds, and what was asked */
  async function waited(lookahead: RunRequestInput['lookahead'], isSilent: (path: string) => boolean) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
    const calls: string[] = []
    const fetch: typeof globalThis.fetch = async (url, init) => {
      if (init?.method === 'DELETE') return new Response(null, { status: 204 })
      const { pathname } = new URL(url as string)
      calls.push(pathname)
      if (!isSilent(pathname)) return new Response(end.events.map((event) => encodeEvent(event)).join(''))
      return new Promise((_, reject) => init!.signal!.addEventListener('abort', () => reject(init!.signal!.reason)))
    }
    const started = Date.now()
    const request = parseRequest(RunRequest, { prompt: 'x', lookahead })
    const options = { runId: 'r', signal: new AbortController().signal, log: () => undefined }
    const types: string[] = []
    const run = (async () => {
      for await (const { type } of cycle(nativeUpstream({ baseURL: 'http://x', fetch }), request, options))
        types.push(type)
      return Date.now() - started
    })()
    const over = run.then(() => true)
    while (!(await Promise.race([over, vi.advanceTimersByTimeAsync(1_000).then(() => false)])));
    return { last: types.at(-1), types, calls, seconds: (await run) / 1000 }
  }

  test.each([
    ['neither draft nor verify, one after the other', { mode: 'lr+sd', pipelined: false }],
    ['neither, cycle upon cycle', {}],
    ['no plain decoding', { mode: 'ar' }],
  ] as const)('answers %s: the run ends in the time of one call', async (_, lookahead) => {
    const { last, calls, seconds } = await waited(lookahead, () => true)
    expect(last).toBe('run.failed')
    expect(calls.filter((path) => path === '/v1/verify')).toHaveLength(1)
    expect(seconds).toBeLessThanOrEqual(60)
  })

  test('answers no draft: the target writes alone, after the time of one call', async () => {
    const lookahead = { mode: 'lr+sd', pipelined: false } as const
    const { types, last, calls, seconds } = await waited(lookahead, (path) => path === '/v1/draft')
    expect([types.filter((type) => type === 'run.degraded').length, last]).toEqual([1, 'run.completed'])
    expect(calls).toEqual(['/v1/draft', '/v1/verify'])
    expect(seconds).toBeLessThanOrEqual(60)
  })
})
