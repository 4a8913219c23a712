import { RunRequest, parseRequest } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { commits, context, drafts, fakeBackend } from '../../test/fake-backend.ts'
import type { Reply } from '../../test/fake-backend.ts'
import { end, play } from '../../test/play.ts'
import { nativeUpstream } from '../upstreams/native.ts'
import { AdaptiveController } from './adaptive-controller.ts'
import { cycle } from './cycle.ts'

describe('modes', () => {
  test.each([
    ['ar', { drafted: false, ngram: 0, draft: 0 }],
    ['sd', { drafted: false, ngram: 8, draft: 16 }],
  ] as const)('%s: one verify call decodes to the end', async (mode, speculation) => {
    const { events, types, calls, text } = await play([end], { lookahead: { mode } })
    expect(calls).toMatchObject([{ path: '/v1/verify', body: { steps: [], decode: 'end', speculation } }])
    expect(events[0]).toMatchObject({ mode, depth: 0 })
    expect(types).toEqual(['run.started', 'text.delta', 'run.completed'])
    expect(text).toBe('\\boxed{3}')
  })

  test.each([
    ['lr', { drafted: false, ngram: 0, draft: 0 }],
    ['lr+sd', { drafted: true, ngram: 8, draft: 16 }],
  ] as const)('%s: draft, verify, commit, until the text ends', async (mode, speculation) => {
    const first = commits(
      [
        [true, 'exact'],
        [false, 'judge'],
      ],
      { text: 'a\n\nB\n\n', tokens: [1, 2], correction: 'B\n\n' },
    )
    const last = commits([[true, 'exact']], {
      text: 'c\n\n</think>3',
      tokens: [9],
      correction: '</think>3',
      finish: 'stop',
    })
    const { events, types, calls, text } = await play([drafts('a\n\n', 'b\n\n'), first, drafts('c\n\n'), last], {
      lookahead: { mode, depth: 2, verifier: 'judge' },
      max_tokens: 50,
    })
    expect(types).toEqual([
      'run.started',
      'step.drafted',
      'step.drafted',
      'step.accepted',
      'step.rejected',
      'text.delta',
      'step.corrected',
      'run.stats',
      'step.drafted',
      'step.accepted',
      'text.delta',
      'text.delta',
      'step.corrected',
      'run.completed',
    ])
    expect(calls.map(({ path, body }) => [path, body.context])).toEqual([
      ['/v1/draft', { id: 'r', prompt: 'How many?', output: [] }],
      ['/v1/verify', { id: 'r', length: 0 }],
      ['/v1/draft', { id: 'r', length: 2 }],
      ['/v1/verify', { id: 'r', length: 2 }],
    ])
    expect(calls[1]!.body).toMatchObject({
      speculation,
      decode: 1,
      max_tokens: 50,
      steps: [{ id: 's0' }, { id: 's1' }],
    })
    expect(calls[3]!.body).toMatchObject({ max_tokens: 48 })
    expect(events.filter((event) => event.type.startsWith('step.'))).toMatchObject([
      { type: 'step.drafted', step: 0 },
      { type: 'step.drafted', step: 1 },
      { type: 'step.accepted', step: 0, text: 'a\n\n', reason: 'exact' },
      { type: 'step.rejected', step: 1, text: 'b\n\n', reason: 'judge' },
      { type: 'step.corrected', step: 1, text: 'B\n\n' },
      { type: 'step.drafted', step: 2 },
      { type: 'step.accepted', step: 2 },
      { type: 'step.corrected', step: 3 },
    ])
    expect(text).toBe('a\n\nB\n\nc3')
    expect(events.at(-1)).toMatchObject({
      usage: { completion_tokens: 3 },
      stats: { cycles: 2, drafted_steps: 3, accepted_steps: 2, output_tokens: 3 },
    })
  })
})

test('where drafting does not pay, the target writes several steps alone', async () => {
  const controller = new AdaptiveController({ mode: 'lr+sd', depth: 8 })
  const seen = { accepted: 0, acceptedTokens: 0, draftedTokens: 0, ms: 120, readsPrompt: false, isLast: false }
  for (let i = 0; i < 20; i++) controller.observe({ ...seen, drafted: 8, draftedTokens: 200, tokens: 30, ms: 1200 })
  expect(controller.next()).toMatchObject({ depth: 0, steps: 4 })
  controller.observe({ ...seen, drafted: 0, tokens: 120 })
  expect(controller.next()).toMatchObject({ depth: 0 })
  controller.observe({ ...seen, drafted: 0, tokens: 3000, ms: 3000 })
  expect(controller.next()).toMatchObject({ depth: 1 })
  const alone = commits([], { text: 'a b c', tokens: [1, 2, 3], correction: 'a b c', steps: 3 })
  const { calls, events } = await play([alone, drafts('d\n\n'), end], {}, { controller })
  expect(calls.map(({ path }) => path)).toEqual(['/v1/verify', '/v1/draft', '/v1/verify'])
  expect(calls[0]!.body).toMatchObject({ steps: [], decode: 256 })
  expect(calls[1]!.body).toMatchObject({ depth: 1 })
  expect(events.find(({ type }) => type === 'step.drafted')).toMatchObject({ step: 3 })
})

test('the channels go on from cycle to cycle', async () => {
  const first = commits([[true, 'exact']], { text: 'a\n\n</think>\n\n', tokens: [1], correction: '</think>\n\n' })
  const last = commits([], { text: 'so 3', tokens: [2], finish: 'stop' })
  const { events } = await play([drafts('a\n\n'), first, drafts('b'), last])
  expect(events.filter(({ type }) => type === 'text.delta')).toMatchObject([
    { channel: 'reasoning', text: 'a' },
    { channel: 'answer', text: 'so 3' },
  ])
})

test('the prompt and the whole output decide about thinking', async () => {
  const channels = async (state: object, ...texts: string[]) => {
    const cycles = texts.map((text, i) =>
      commits([], { text, tokens: [i], finish: i === texts.length - 1 ? 'stop' : null }),
    )
    for (const { events } of cycles) Object.assign(events[0]!, state)
    const { events } = await play(cycles, { lookahead: { mode: 'ar' } })
    const said = { reasoning: '', answer: '' }
    for (const event of events) if (event.type === 'text.delta') said[event.channel as keyof typeof said] += event.text
    return said
  }
  const again = { reasoning: 'a\nc', answer: 'b\nd' }
  expect(await channels({ thinking: true }, '\n<think>\na\n</', 'think>b\n<thi', 'nk>\nc</think>\nd')).toEqual(again)
  expect(await channels({ thinking: true, after_tag: false }, ' a</think>b')).toEqual({ reasoning: ' a', answer: 'b' })
  expect(await channels({ thinking: true, partial_tag: '</t' }, 'hink>', 'b')).toEqual({ reasoning: '', answer: 'b' })
  expect(await channels({ thinking: false, after_tag: true }, '\n', 'b')).toEqual({ reasoning: '', answer: 'b' })
})

test('text held back for a tag that never comes is said at the end', async () => {
  const cut = commits([], { text: 'a\n\n</th', tokens: [1], finish: 'length' })
  expect((await play([cut], { lookahead: { mode: 'ar' } })).text).toBe('a\n\n</th')
})

test('a context the backend lost is sent whole, once', async () => {
  const lost = { status: 409, code: 'context_lost' }
  const first = commits([[true, 'exact']], { text: 'a\n\nb\n\n', tokens: [1, 2], correction: 'b\n\n' })
  const { types, calls } = await play([drafts('a\n\n'), first, lost, drafts('c\n\n'), end])
  expect(types.at(-1)).toBe('run.completed')
  expect(calls[3]!.body.context).toEqual({ id: 'r', prompt: 'How many?', output: [1, 2] })
  const inside = commits([], { text: 'a</think>b</thi', tokens: [1, 2] })
  const rest = commits([], { text: 'nk>c', tokens: [3], finish: 'stop' })
  const { text } = await play([inside, lost, rest], { lookahead: { mode: 'ar' } })
  expect(text).toBe('abc')
  expect((await play([lost, lost, lost, lost])).types.at(-1)).toBe('run.failed')
})

test('the client leaving closes the connection to the backend', async () => {
  await using fake = await fakeBackend([{ events: [context()], finally: 'hang' }])
  const abort = new AbortController()
  const request = parseRequest(RunRequest, { prompt: 'x', lookahead: { mode: 'ar' } })
  const events = cycle(nativeUpstream({ baseURL: fake.url }), request, { runId: 'r', signal: abort.signal })
  expect((await events.next()).value).toMatchObject({ type: 'run.started' })
  const left = expect(events.next()).rejects.toThrow('abort')
  await expect.poll(() => fake.calls).toHaveLength(1)
  abort.abort()
  await left
  await expect.poll(() => fake.left).toBe(1)
  await expect.poll(() => fake.released).toEqual(['/v1/contexts/r'])
})

test.each<[string, Reply]>([
  ['has not even sent headers', 'silence'],
  ['sends only comments', { events: [context()], finally: 'hang', keepaliveMs: 20 }],
])('leaving while a read waits closes the connection to a backend that %s', async (_, reply) => {
  await using fake = await fakeBackend([reply, reply])
  const { signal } = new AbortController()
  const upstream = nativeUpstream({ baseURL: fake.url })
  const request = parseRequest(RunRequest, { prompt: 'x', lookahead: { mode: 'ar' } })
  const events = cycle(upstream, request, { runId: 'r', signal })
  if (reply !== 'silence') await events.next()
  const session = upstream.open({ id: 'c', prompt: 'x', sampling: {}, stop: [], stopInReasoning: false })
  const task = {
    verifier: 'exact',
    threshold: undefined,
    decode: 1,
    tokens: { drafted: false, ngram: 0, draft: 0 },
    maxTokens: 1,
  }
  const call = session.verify(noSteps(), task, signal)[Symbol.asyncIterator]()
  if (reply !== 'silence') await call.next()
  const pending = [events.next(), call.next()]
  await expect.poll(() => fake.calls).toHaveLength(2)
  await Promise.all([events.return?.(), call.return!()])
  const over = { done: true, value: undefined }
  expect(await Promise.all(pending)).toEqual([over, over])
  await expect.poll(() => fake.left).toBe(2)
  expect(fake.released).toEqual(['/v1/contexts/r'])
})

test('leaving the loop closes the connection to the backend', async () => {
  await using fake = await fakeBackend([{ events: [context(), { type: 'delta', text: 'half' }], finally: 'hang' }])
  const request = parseRequest(RunRequest, { prompt: 'x', lookahead: { mode: 'ar' } })
  const upstream = nativeUpstream({ baseURL: fake.url })
  for await (const event of cycle(upstream, request, { runId: 'r', signal: new AbortController().signal }))
    if (event.type === 'text.delta') break
  await expect.poll(() => fake.left).toBe(1)
})

async function* noSteps(): AsyncGenerator<never, void, undefined> {}
