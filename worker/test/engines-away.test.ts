/** An engine that is away, or silent: how long it is waited for, and what is told of it. */
import { HttpResponse, delay, http } from 'msw'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { app } from '../src/app.ts'
import { background } from './background.ts'
import { handlersOf } from './fake-engine.ts'
import type { Call } from './fake-engine.ts'
import { engine, network, run } from './run-on-engines.ts'
import type { Ran } from './run-on-engines.ts'

beforeAll(() => network.listen())
afterEach(() => {
  network.resetHandlers()
  vi.restoreAllMocks()
})
afterAll(() => network.close())

const SAYS = 'We know 3 shells.\n\nTwo more make 3+2 = 5.\n\nThe answer is 5.'
const waiting = ({ events }: Ran) => events.filter(({ type }) => type === 'run.waiting')
/** @param seconds after which it asks to be tried again */
const loading = (seconds: number) =>
  HttpResponse.json({ error: { message: 'loading' } }, { status: 503, headers: { 'retry-after': `${seconds}` } })

describe('a target that is started anew while it writes', () => {
  test.each(['ar', 'lr'] as const)('is waited for, and one event tells: mode %s', async (mode) => {
    const [target, draft] = [engine('vllm', SAYS), engine('vllm', SAYS)]
    await run({ target, draft }, { mode })
    let tries = 0
    const down = http.post(`${target.url}/v1/completions`, () =>
      target.breaks === 0 && ++tries <= 40 ? loading(0) : undefined,
    )
    target.breaks = 1
    const ran = await run({ target, draft }, { mode, depth: 1 }, {}, [down])
    expect([ran.text, ran.last.type]).toEqual([SAYS, 'run.completed'])
    expect(waiting(ran)).toMatchObject([{ code: 'target_unavailable' }])
  })

  test('is not waited for longer than is allowed', async () => {
    const target = engine('vllm', SAYS, { breaks: 0 })
    await run({ target }, { mode: 'ar' })
    const down = http.post(`${target.url}/v1/completions`, () => (target.breaks === 0 ? loading(1) : undefined))
    target.breaks = 1
    const ran = await run({ target, timeoutMs: 2_500 }, { mode: 'ar' }, {}, [down])
    expect(ran.last).toMatchObject({ type: 'run.failed', code: 'target_unavailable' })
    expect(waiting(ran)).toHaveLength(1)
  })

  test('and accepts calls that it never answers: each has one deadline, and the run ends with the first', async () => {
    const target = engine('vllm', SAYS)
    await run({ target }, { mode: 'ar' })
    let calls = 0
    const silent = http.post(`${target.url}/v1/completions`, () => {
      calls++
      return delay('infinite')
    })
    const { last } = await run({ target, timeoutMs: 2_500 }, { mode: 'ar' }, {}, [silent])
    expect(last).toMatchObject({ type: 'run.failed', code: 'target_unavailable' })
    expect(calls).toBe(1)
  })
})

test('a target that is silent while it is found out what it can do is as away as any', async () => {
  const target = engine('vllm', SAYS)
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new DOMException('too long', 'TimeoutError')), 50)
    return controller.signal
  })
  const silent = http.post(`${target.url}/*`, () => delay('infinite'))
  const { last } = await run({ target }, { mode: 'ar' }, {}, [silent])
  expect(last).toMatchObject({
    type: 'run.failed',
    code: 'target_unavailable',
    message: expect.stringContaining('target'),
  })
})

test('every call of a run has its request id', async () => {
  const [target, draft] = [engine('vllm', SAYS), engine('vllm', SAYS)]
  const calls: Call[] = []
  network.use(...[target, draft].flatMap((one) => handlersOf(one, calls)))
  const env = { TARGET_URL: target.url, TARGET_MODEL: 'big', DRAFT_URL: draft.url, DRAFT_MODEL: 'small' }
  const body = JSON.stringify({ prompt: '<q>How?<a>', lookahead: { mode: 'lr', verifier: 'exact' } })
  const { context } = background()
  const answer = await app.request('/v1/runs', { method: 'POST', body }, { ENGINE: 'openai', ...env }, context)
  expect(await answer.text()).toContain('run.completed')
  expect(new Set(calls.map(({ requestId }) => requestId))).toEqual(new Set([answer.headers.get('x-request-id')]))
  const asked: (string | null)[] = []
  network.use(
    http.get(`${target.url}/v1/models`, ({ request }) => {
      asked.push(request.headers.get('x-request-id'))
      return undefined
    }),
  )
  const health = await app.request('/health', {}, { ENGINE: 'openai', ...env }, context)
  expect(asked).toEqual([health.headers.get('x-request-id')])
})

test.each([
  [-3, 2],
  [-2, 1],
  [2 ** 31 - 1, 1],
  [Number.MAX_SAFE_INTEGER - 128, 2],
  [-(Number.MAX_SAFE_INTEGER - 128), 2],
])('the seed %i is moved among those that engines take', async (seed, depth) => {
  const [target, draft] = [engine('vllm', SAYS), engine('vllm', SAYS)]
  const sampling = { temperature: 0, seed }
  const { calls, last } = await run({ target, draft }, { depth, width: 2 }, { sampling })
  const sent = calls.flatMap(({ body }) => (body['seed'] === undefined ? [] : [body['seed'] as number]))
  expect(last.type).toBe('run.completed')
  expect(new Set(sent).size).toBeGreaterThan(1)
  expect(sent.filter((one) => !Number.isInteger(one) || one < 0 || one >= 2 ** 31)).toEqual([])
})
