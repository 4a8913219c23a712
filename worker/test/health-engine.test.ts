/** What health says of other engines than our own: each is asked, and what a run would have to find out is found out. */
import { HttpResponse, http } from 'msw'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { app } from '../src/app.ts'
import { background } from './background.ts'
import { handlersOf } from './fake-engine.ts'
import type { Call } from './fake-engine.ts'
import { engine, network, run } from './run-on-engines.ts'

beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

test.each([
  [{}, 'native'],
  [{ ENGINE: 'openai' }, 'openai'],
])('health says, when it is asked for details, which engine runs are sent to: %o', async (env, name) => {
  expect(await (await app.request('/health?details', {}, env)).json()).toMatchObject({ engine: name })
  expect(await (await app.request('/health', {}, env)).json()).not.toHaveProperty('engine')
})

const JUDGE = 'http://judge.test/v1'
const models = (status: number) => () => HttpResponse.json({ data: [] }, { status })

/** Health where target, draft and judge answer with these statuses when they are asked for their models; 0: not at all. */
async function healthOf(statuses: readonly [target: number, draft: number, judge: number]) {
  const [target, draft] = [engine('vllm', 'So.'), engine('bare', 'So.')]
  const calls: Call[] = []
  network.use(...[target, draft].flatMap((one) => handlersOf(one, calls)))
  const urls = [`${target.url}/v1`, `${draft.url}/v1`, JUDGE]
  for (const [i, url] of urls.entries())
    network.use(http.get(`${url}/models`, statuses[i] ? models(statuses[i]) : HttpResponse.error))
  const { context, work } = background()
  const env = {
    ENGINE: 'openai',
    TARGET_URL: target.url,
    TARGET_MODEL: 'big',
    DRAFT_URL: draft.url,
    DRAFT_MODEL: 'small',
    JUDGE_URL: JUDGE,
    JUDGE_MODEL: 'judge',
  }
  const ask = async (path: string) => {
    const answer = await app.request(path, {}, env, context)
    return [answer.status, await answer.json()] as const
  }
  const short = await ask('/health')
  await Promise.all(work)
  return { short, details: (await ask('/health?details'))[1], target, draft, calls }
}

test.each([
  ['all are there', [200, 200, 200], 200, 'ok', { backend: 'ok', draft: 'ok', judge: 'ok' }],
  ['the judge lists no models', [200, 200, 404], 200, 'ok', { backend: 'ok', draft: 'ok', judge: 'ok' }],
  ['the draft is away', [200, 0, 200], 200, 'degraded', { backend: 'ok', draft: 'unreachable', judge: 'ok' }],
  ['the draft is something else', [200, 404, 200], 200, 'degraded', { backend: 'ok', draft: 'unreachable' }],
  ['the judge is away', [200, 200, 0], 200, 'degraded', { backend: 'ok', draft: 'ok', judge: 'unreachable' }],
  ['the judge fails', [200, 200, 502], 200, 'degraded', { backend: 'ok', draft: 'ok', judge: 'unreachable' }],
  ['the judge refuses the worker', [200, 200, 401], 200, 'degraded', { backend: 'ok', judge: 'unauthorized' }],
  ['the target is away', [0, 200, 200], 503, 'degraded', { backend: 'unreachable', draft: 'ok', judge: 'ok' }],
] as const)('where %s', async (_, statuses, code, status, parts) => {
  const { short, details } = await healthOf(statuses)
  expect(short).toEqual([code, { status, backend: parts.backend }])
  expect(details).toMatchObject({ status, ...parts })
})

test('behind its answer it is found out what target and draft can do, and the first run need not', async () => {
  const { target, draft, calls, details } = await healthOf([200, 200, 200])
  expect(details).toMatchObject({ lacking: { draft: ['many_prompts', 'token_ids', 'delimiters'] } })
  const count = calls.length
  const first = await run({ target, draft }, { depth: 1 })
  const again = await run({ target, draft }, { depth: 1 })
  expect(count).toBeGreaterThan(0)
  expect(first.calls.map(({ path }) => path)).toEqual(again.calls.map(({ path }) => path))
})

test('but nothing of an engine that is away', async () => {
  expect((await healthOf([0, 0, 200])).calls).toEqual([])
})
