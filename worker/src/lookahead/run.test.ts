import { RunRequest, isTerminal, parseRequest } from '@lookahead/sdk/protocol'
import type { RunEvent, RunRequestInput } from '@lookahead/sdk/protocol'
import { describe, expect, test } from 'vitest'
import { commits, context, drafts, fakeBackend } from '../../test/fake-backend.ts'
import type { Call, Reply } from '../../test/fake-backend.ts'
import { Backend } from './backend.ts'
import { run } from './run.ts'

interface Outcome {
  events: RunEvent[]
  types: string[]
  text: string
  calls: Call[]
}

async function play(script: Reply[], request: Partial<RunRequestInput> = {}): Promise<Outcome> {
  await using fake = await fakeBackend(script)
  const events: RunEvent[] = []
  const parsed = parseRequest(RunRequest, { prompt: 'How many?', ...request })
  const backend = new Backend({ baseURL: fake.url, idleMs: 300 })
  for await (const event of run(parsed, backend, { runId: 'r', signal: new AbortController().signal }))
    events.push(event)
  expect(events.filter(isTerminal)).toEqual([events.at(-1)])
  return {
    events,
    types: events.map((event) => event.type),
    text: events.map((event) => (event.type === 'text.delta' ? event.text : '')).join(''),
    calls: fake.calls,
  }
}

const end = commits([], {
  text: '</think>\n\n\\boxed{3}',
  tokens: [9],
  correction: '</think>\n\n\\boxed{3}',
  finish: 'stop',
})

describe('modes', () => {
  test.each([
    ['ar', { drafted: false, ngram: 0 }],
    ['sd', { drafted: false, ngram: 8 }],
  ] as const)('%s: one verify call decodes to the end', async (mode, speculation) => {
    const { types, calls, text } = await play([end], { lookahead: { mode } })
    expect(calls).toMatchObject([{ path: '/v1/verify', body: { steps: [], decode: 'end', speculation } }])
    expect(types).toEqual(['run.started', 'text.delta', 'run.completed'])
    expect(text).toBe('\\boxed{3}')
  })

  test.each([
    ['lr', { drafted: false, ngram: 0 }],
    ['lr+sd', { drafted: true, ngram: 8 }],
  ] as const)('%s: draft, verify, commit, until the text ends', async (mode, speculation) => {
    const first = commits(
      [
        [true, 'exact'],
        [false, 'judge'],
      ],
      { text: 'a\n\nB\n\n', tokens: [1, 2], correction: 'B\n\n' },
    )
    const { events, types, calls, text } = await play([drafts('a\n\n', 'b\n\n'), first, drafts('c\n\n'), end], {
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
      decode: 'step',
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
      { type: 'step.corrected', step: 2 },
    ])
    expect(text).toBe('a\n\nB\\boxed{3}')
    expect(events.at(-1)).toMatchObject({
      usage: { completion_tokens: 3 },
      stats: { cycles: 2, drafted_steps: 3, accepted_steps: 1, output_tokens: 3 },
    })
  })
})

test('a context the backend lost is sent whole, once', async () => {
  const lost = { status: 409, code: 'context_lost' }
  const first = commits([[true, 'exact']], { text: 'a\n\nb\n\n', tokens: [1, 2], correction: 'b\n\n' })
  const { types, calls } = await play([drafts('a\n\n'), first, lost, drafts('c\n\n'), end])
  expect(types.at(-1)).toBe('run.completed')
  expect(calls[3]!.body.context).toEqual({ id: 'r', prompt: 'How many?', output: [1, 2] })
  expect((await play([lost, lost, lost, lost])).types.at(-1)).toBe('run.failed')
})

describe('a helper that fails costs speed, never the run', () => {
  test.each<[string, Reply]>([
    ['refuses', { status: 503, code: 'no_draft_model', retryAfter: 0 }],
    ['breaks off', { events: [context()], finally: 'cut' }],
    ['ends without done', { events: [context()] }],
    ['goes silent', { events: [context()], finally: 'hang' }],
    ['talks nonsense', { events: [{ type: 'riddle' }] }],
    [
      'reports an error',
      {
        events: [context(), { type: 'error', error: { message: 'm', type: 't', param: null, code: 'x' } }],
      },
    ],
  ])('a draft that %s', async (_fault, reply) => {
    const repeated = 'status' in reply ? [reply, reply, reply] : [reply]
    const { types, calls, events } = await play([...repeated, end])
    expect(types.filter((type) => type === 'run.degraded')).toHaveLength(1)
    expect(events.find((event) => event.type === 'run.degraded')).toMatchObject({ part: 'draft' })
    expect(calls.at(-1)).toMatchObject({ path: '/v1/verify', body: { steps: [], decode: 'end' } })
    expect(types.at(-1)).toBe('run.completed')
  })

  test('a judge that cannot be asked', async () => {
    const first = commits([[false, 'judge_failed']], { text: 'B\n\n', tokens: [1], correction: 'B\n\n' })
    const { types, calls, events } = await play([drafts('a\n\n'), first, end])
    expect(events.find((event) => event.type === 'run.degraded')).toMatchObject({ part: 'judge', code: 'judge_failed' })
    expect(calls.map(({ path }) => path)).toEqual(['/v1/draft', '/v1/verify', '/v1/verify'])
    expect(calls[2]!.body).toMatchObject({ decode: 'end', speculation: { ngram: 8 } })
    expect(types.at(-1)).toBe('run.completed')
  })
})

describe('a target that fails ends the run with one terminal event', () => {
  const busy = { status: 429, code: 'overloaded', retryAfter: 0 }
  const half: Reply = { events: [context(), { type: 'delta', text: 'half' }], finally: 'cut' }
  test.each<[string, Reply[], string]>([
    ['stays busy', [busy, busy, busy], 'overloaded'],
    ['refuses', [{ status: 500, code: 'internal_error' }], 'target_failed'],
    ['breaks off', [half], 'target_failed'],
    ['is too small for the prompt', [{ status: 400, code: 'context_length_exceeded' }], 'context_length_exceeded'],
  ])('when it %s', async (_fault, script, code) => {
    const { events } = await play(script, { lookahead: { mode: 'ar' } })
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code })
  })

  test('when it cannot be reached', async () => {
    const backend = new Backend({ baseURL: 'http://127.0.0.1:9', tries: 1 })
    const request = parseRequest(RunRequest, { prompt: 'x', lookahead: { mode: 'ar' } })
    const events: RunEvent[] = []
    for await (const event of run(request, backend, { runId: 'r', signal: new AbortController().signal }))
      events.push(event)
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code: 'target_unavailable' })
  })

  test('a busy backend is tried again', async () => {
    expect((await play([busy, end], { lookahead: { mode: 'ar' } })).types.at(-1)).toBe('run.completed')
  })
})

test('the client leaving closes the connection to the backend', async () => {
  await using fake = await fakeBackend([{ events: [context()], finally: 'hang' }])
  const abort = new AbortController()
  const request = parseRequest(RunRequest, { prompt: 'x', lookahead: { mode: 'ar' } })
  const events = run(request, new Backend({ baseURL: fake.url }), { runId: 'r', signal: abort.signal })
  await events.next()
  setTimeout(() => abort.abort(), 100)
  await expect(events.next()).rejects.toThrow('abort')
  await expect.poll(() => fake.left).toBe(1)
})
