/** Runs on engines that speak the dialects of vLLM and SGLang, and on one that can next to nothing. */
import { createHash } from 'node:crypto'
import { HttpResponse, delay, http } from 'msw'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { app } from '../src/app.ts'
import type { JudgeProtocol } from '../src/upstreams/openai/index.ts'
import { handlersOf } from './fake-engine.ts'
import type { Call, FakeEngine } from './fake-engine.ts'
import { background } from './background.ts'
import { engine, network, run, verdictsIn } from './run-on-engines.ts'
import type { Ran } from './run-on-engines.ts'

beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

/** The third step ends with a token that is more than the delimiter. */
const SAYS = 'We know 3 shells.\n\nTwo more make 3+2 = 5.\n\nSo there are 5.\n\n\nThe answer is 5.'
const DRAFTS = 'We know 3 shells.\n\nWith 2 more it is 3+2 = 5.\n\nSo there are 6.\n\n\nIt is 6.'

describe.each(['vllm', 'sglang', 'llama', 'bare'] as const)('%s', (dialect) => {
  test.each(['ar', 'lr'] as const)('in mode %s the text is the target’s, to the last line feed', async (mode) => {
    const { text, last } = await run({ target: engine(dialect, SAYS), draft: engine(dialect, DRAFTS) }, { mode })
    expect(text).toBe(SAYS)
    expect(last).toMatchObject({ type: 'run.completed', finish_reason: 'stop' })
  })

  test('what target and draft say alike is accepted, and the rest is the target’s', async () => {
    const { events } = await run({ target: engine(dialect, SAYS), draft: engine(dialect, DRAFTS) })
    expect(verdictsIn(events).slice(0, 2)).toEqual(['accepted exact', 'rejected exact'])
  })
})

describe.each([
  ['vllm', 'include_stop_str_in_output'],
  ['sglang', 'no_stop_trim'],
] as const)('%s is asked', (dialect, keepsStop) => {
  test('for all branches of a cycle in one call, with token ids', async () => {
    const target = engine(dialect, SAYS)
    const { calls, events } = await run({ target, draft: engine(dialect, SAYS) })
    const branches = calls.filter(
      ({ path, body }) => path === `${target.url}/v1/completions` && body['stop'] && body['max_tokens'] === 100,
    )
    // Three drafted steps, and one more after them; the fourth ends the text, and is the last that is compared.
    expect(branches.map(({ body }) => (body['prompt'] as number[][]).length)).toEqual([4])
    expect(branches[0]!.body).toMatchObject({
      stop: ['\n\n'],
      [keepsStop]: true,
      return_token_ids: true,
      temperature: 0,
    })
    expect((branches[0]!.body['prompt'] as number[][]).flat().every((id) => Number.isInteger(id))).toBe(true)
    expect(verdictsIn(events)).toEqual(['accepted exact', 'accepted exact', 'accepted exact'])
  })

  test('for its opinion of all drafted steps in one call', async () => {
    const target = engine(dialect, SAYS, { other: Math.log(0.45) })
    const { events, calls, text } = await run(
      { target, draft: engine(dialect, SAYS.replace('Two', 'Another-two')) },
      { verifier: 'likelihood' },
      { sampling: { temperature: 1 } },
    )
    expect(text).toBe(SAYS.replace('Two', 'Another-two'))
    expect(verdictsIn(events)).toEqual(['accepted likely', 'accepted likely', 'accepted likely'])
    const scoring = calls.filter(({ body }) => body['prompt_logprobs'] !== undefined || body['return_logprob'])
    // The first tells also how this engine is to be asked.
    expect(scoring.length).toBeLessThanOrEqual(dialect === 'vllm' ? 2 : 3)
  })

  test('and what it finds unlikely is written by itself', async () => {
    const draft = engine(dialect, DRAFTS)
    const { text, events } = await run({ target: engine(dialect, SAYS), draft }, { verifier: 'likelihood' })
    expect(text).toBe(SAYS)
    expect(verdictsIn(events).slice(0, 2)).toEqual(['accepted likely', 'rejected unlikely'])
  })
})

test('llama-server is asked for ids beside log probabilities, goes on from ids, and takes several prompts in a call', async () => {
  const target = engine('llama', SAYS)
  const { calls, events } = await run({ target, draft: engine('llama', SAYS) })
  const branches = calls.filter(
    ({ path, body }) => path === `${target.url}/v1/completions` && body['max_tokens'] === 100,
  )
  expect(branches.map(({ body }) => (body['prompt'] as number[][]).length)).toEqual([4])
  expect(branches[0]!.body).toMatchObject({ logprobs: 1 })
  expect((branches[0]!.body['prompt'] as number[][]).flat().every((id) => Number.isInteger(id))).toBe(true)
  expect(verdictsIn(events)).toEqual(['accepted exact', 'accepted exact', 'accepted exact'])
})

test('an engine whose model writes nothing but spaces after the first words it is asked is asked others', async () => {
  const target = engine('vllm', SAYS, { blank: true })
  const { text, calls } = await run({ target, draft: engine('vllm', SAYS) })
  expect(text).toBe(SAYS)
  // It is known to keep stop strings, so a step ends at one.
  expect(calls.some(({ body }) => body['prompt'] === 'Hello' && Array.isArray(body['stop']))).toBe(true)
})

test('an engine that tells no ids cannot be asked for its opinion, and says so', async () => {
  const { last } = await run(
    { target: engine('bare', SAYS), draft: engine('bare', DRAFTS) },
    { verifier: 'likelihood' },
  )
  expect(last).toMatchObject({
    type: 'run.failed',
    code: 'invalid_request',
    message: expect.stringContaining('prompt_logprobs'),
  })
})

describe('a judge is any chat model', () => {
  const url = 'http://judge.test'
  let judges = 0

  const judged = async (answer: (body: Record<string, unknown>) => Response) => {
    const judge = `${url}/${++judges}`
    const asked: Record<string, unknown>[] = []
    network.use(
      http.post(`${judge}/chat/completions`, async ({ request }) => {
        const body = (await request.json()) as Record<string, unknown>
        asked.push(body)
        return answer(body)
      }),
    )
    const ran = await run({ target: engine('vllm', SAYS), draft: engine('vllm', DRAFTS), judge }, { verifier: 'judge' })
    return { ...ran, asked }
  }
  const says = (yes: number) => () =>
    HttpResponse.json({
      choices: [
        {
          message: { role: 'assistant', content: 'yes' },
          logprobs: {
            content: [
              {
                token: 'yes',
                top_logprobs: [
                  { token: 'yes', logprob: Math.log(yes) },
                  { token: ' No', logprob: Math.log(1 - yes) },
                ],
              },
            ],
          },
        },
      ],
    })

  test('whose one token decides by its probabilities', async () => {
    const { text, events, asked } = await judged(says(0.7))
    expect(text).toContain('With 2 more it is 3+2 = 5.\n\n')
    expect(verdictsIn(events).slice(0, 2)).toEqual(['accepted exact', 'accepted judge'])
    expect(asked[0]).toMatchObject({ max_tokens: 1, logprobs: true, temperature: 0 })
    expect(JSON.stringify(asked[0])).toContain('How many?')
    expect(verdictsIn((await judged(says(0.3))).events)).toContain('rejected judge')
  })

  test('of a cloud that refuses fields it does not know, and one that tells no probabilities', async () => {
    const refuse = (field: string) =>
      HttpResponse.json(
        { error: { message: `unknown ${field}`, type: 'x', param: field, code: null } },
        { status: 400 },
      )
    const { events } = await judged((body) => {
      const unknown = ['chat_template_kwargs', 'logprobs'].find((field) => field in body)
      return unknown ? refuse(unknown) : HttpResponse.json({ choices: [{ message: { content: 'Yes.' } }] })
    })
    expect(verdictsIn(events)).toContain('accepted judge')
  })

  test('that fails rejects, and the run says so and goes on', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    onTestFinished(() => log.mockRestore())
    const { text, events, last } = await judged(() => HttpResponse.json({ error: { message: 'no' } }, { status: 401 }))
    expect(text).toBe(SAYS)
    expect(log.mock.calls.join()).toContain('JUDGE_API_KEY')
    expect(verdictsIn(events)).toContain('rejected judge_failed')
    expect(events).toContainEqual(expect.objectContaining({ type: 'run.degraded', part: 'judge' }))
    expect(last.type).toBe('run.completed')
  })
})

describe('a decision model is asked about all open steps in one request', () => {
  const drafts = 'We know 3 shells.\n\nWith 2 more it is 3+2 = 5.\n\nThat makes 5.\n\nIt is 6.'
  interface Question {
    name?: string
    instructions: string
  }
  /** Takes the third step for another one. */
  const same = ({ instructions }: Question) => (instructions.includes('That makes') ? 0.2 : 0.9)

  test.each([
    [
      'systemone',
      (questions: Record<string, Question>) =>
        Object.fromEntries(
          Object.entries(questions).map(([id, question]) => {
            const p = same(question)
            return [id, { type: 'choice', choice: 'x', confidence: 1, probabilities: { same: p, different: 1 - p } }]
          }),
        ),
    ],
    [
      'decisions',
      (questions: Question[]) =>
        questions.map((question) => ({
          type: 'choice',
          name: question.name,
          choice: 'x',
          confidence: 1,
          probabilities: [
            { value: 'different', probability: 1 - same(question) },
            { value: 'same', probability: same(question) },
          ],
        })),
    ],
    ['decisions', (questions: Question[]) => questions.map(({ name }) => ({ type: 'refusal', name }))],
  ] as [JudgeProtocol, (questions: never) => unknown][])('%s', async (protocol, answersTo) => {
    const judge = `http://${protocol}.test/v1`
    const asked: { model: string; questions: object }[] = []
    const answer = http.post(`${judge}/${protocol}`, async ({ request }) => {
      const body = (await request.json()) as { model: string; questions: never }
      asked.push(body)
      return HttpResponse.json({ model: 'judge', answers: answersTo(body.questions) })
    })
    const { events } = await run(
      { target: engine('vllm', SAYS), draft: engine('vllm', drafts), judge, protocol },
      { verifier: 'judge' },
      {},
      [answer],
    )
    expect(asked[0]!.model).toBe('judge')
    expect(Object.keys(asked[0]!.questions).length).toBe(2)
    const isRefused = JSON.stringify(answersTo([{ instructions: '' }] as never)).includes('refusal')
    expect(verdictsIn(events).slice(0, 3)).toEqual(
      isRefused
        ? ['accepted exact', 'rejected judge', 'rejected judge']
        : ['accepted exact', 'accepted judge', 'rejected judge'],
    )
  })
})

test.each([
  ['refuses the worker', 401, 'draft_unauthorized'],
  ['has no such model', 404, 'no_completions'],
])('a draft that %s costs speed alone', async (_, status, code) => {
  const draft = engine('vllm', DRAFTS)
  const refusal = http.post(`${draft.url}/*`, () => HttpResponse.json({ error: { message: 'no' } }, { status }))
  const { text, events, last } = await run({ target: engine('vllm', SAYS), draft }, {}, {}, [refusal])
  expect(text).toBe(SAYS)
  expect(events).toContainEqual(expect.objectContaining({ type: 'run.degraded', part: 'draft', code }))
  expect(last.type).toBe('run.completed')
})

test('a target whose connection breaks goes on from what was said', async () => {
  const target = engine('vllm', SAYS)
  // Known by now: only the run's own calls break off.
  await run({ target }, { mode: 'ar' })
  const { text, events, last } = await run({ target: { ...target, breaks: 2 } }, { mode: 'ar' })
  expect(text).toBe(SAYS)
  expect(events.some(({ type }) => type === 'run.waiting')).toBe(true)
  expect(last.type).toBe('run.completed')
})

describe('one of several targets', () => {
  // Of equals, the first.
  beforeAll(() => void vi.spyOn(Math, 'random').mockReturnValue(0))
  afterAll(() => void vi.restoreAllMocks())
  const both = () => ({ target: engine('vllm', SAYS), spare: engine('vllm', SAYS) })
  const asked = ({ calls }: Ran, { url }: FakeEngine) => calls.filter(({ path }) => path.startsWith(url)).length

  test('whose connection breaks: the run goes on at another one from what was said, and one event tells', async () => {
    const { target, spare } = both()
    await run({ target, spare }, { mode: 'ar' })
    const ran = await run({ target: { ...target, breaks: 9 }, spare }, { mode: 'ar' })
    expect([ran.text, ran.last.type, asked(ran, target)]).toEqual([SAYS, 'run.completed', 3])
    const waiting = ran.events.filter(({ type }) => type === 'run.waiting')
    expect(waiting).toMatchObject([{ code: 'target_unavailable', message: expect.stringContaining('at another') }])
    expect(waiting[0]).toMatchObject({ message: expect.not.stringContaining('engine-') })
    // And the next run is sent there at once.
    expect(asked(await run({ target, spare }, { mode: 'lr' }), target)).toBe(0)
  })

  test.each([
    ['is not there', () => HttpResponse.error()],
    ['never answers', () => delay('infinite')],
    ['is too busy', () => HttpResponse.json({ error: { message: 'busy' } }, { status: 429 })],
    ['fails', () => HttpResponse.json({ error: { message: 'dead' } }, { status: 500 })],
  ])('that %s: another one is asked at once, and one event tells', async (_, answer) => {
    const engines = both()
    let refused = 0
    const fault = http.post(`${engines.target.url}/*`, async () => {
      refused++
      return (await answer()) ?? undefined
    })
    const ran = await run(engines, { mode: 'ar' }, {}, [fault])
    expect(ran.text).toBe(SAYS)
    expect(ran.events.slice(0, 2)).toMatchObject([
      { type: 'run.started' },
      { type: 'run.waiting', message: expect.stringContaining('at another') },
    ])
    expect(ran.events.filter(({ type }) => type === 'run.waiting')).toHaveLength(1)
    // What the first call in an isolate asks for side by side.
    expect(refused).toBeLessThanOrEqual(2)
  })
})

test('a target that is gone between two calls: the next one is made at another, and one event tells', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
  const [target, spare, draft] = [engine('vllm', SAYS), engine('vllm', SAYS), engine('vllm', SAYS)]
  await run({ target, spare, draft })
  let written = 0
  const gone = http.post(`${target.url}/v1/completions`, () => (++written > 1 ? HttpResponse.error() : undefined))
  const { text, events } = await run({ target, spare, draft }, { depth: 1 }, {}, [gone])
  vi.restoreAllMocks()
  expect(text).toBe(SAYS)
  const waiting = events.filter(({ type }) => type === 'run.waiting')
  expect(waiting).toMatchObject([{ code: 'target_unavailable', message: expect.stringContaining('at another') }])
})

test('a draft that is lost in the middle of a run is told once, and the target decodes on alone', async () => {
  const target = engine('vllm', SAYS)
  const draft = engine('vllm', SAYS)
  let drafted = 0
  const lost = http.post(`${draft.url}/v1/completions`, async ({ request }) => {
    const { max_tokens } = (await request.clone().json()) as { max_tokens: number }
    // Not the small calls that find out what it can.
    if (max_tokens > 8 && ++drafted > 1) return HttpResponse.error()
    return undefined
  })
  const { text, events, last, calls } = await run({ target, draft }, { depth: 1 }, {}, [lost])
  expect([text, last.type]).toEqual([SAYS, 'run.completed'])
  expect(verdictsIn(events)).toEqual(['accepted exact'])
  expect(events.filter(({ type }) => type === 'run.degraded')).toMatchObject([{ part: 'draft', code: 'unreachable' }])
  expect(calls.filter(({ path }) => path.startsWith(draft.url) && path.endsWith('completions')).length).toBeGreaterThan(
    0,
  )
})

test('a chat API cannot be a target, and is told so', async () => {
  const target = engine('bare', SAYS)
  const missing = http.post(`${target.url}/*`, () =>
    HttpResponse.json({ error: { message: 'Invalid URL' } }, { status: 404 }),
  )
  const { last } = await run({ target }, { mode: 'ar' }, {}, [missing])
  expect(last).toMatchObject({ type: 'run.failed', message: expect.stringContaining('POST /v1/completions') })
})

describe('what a key’s texts leave in an engine’s prefix cache', () => {
  const hash = (key: string) => createHash('sha256').update(key).digest('hex')
  const keys = { API_KEYS: `one:${hash('1')} other:${hash('2')}` }

  /** Every call of a run that an engine may keep something of, and the salts in them. */
  async function salts(dialect: 'vllm' | 'sglang' | 'bare', env: object, key?: string, verifier = 'exact') {
    const [target, draft] = [engine(dialect, SAYS, { rates: () => 9 }), engine(dialect, DRAFTS)]
    const calls: Call[] = []
    network.use(...[target, draft].flatMap((one) => handlersOf(one, calls)))
    const engines = { TARGET_URL: target.url, TARGET_MODEL: 'big', DRAFT_URL: draft.url, DRAFT_MODEL: 'small' }
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const text = dialect === 'bare' ? { prompt: '<q>How many?<a>' } : { messages: [{ role: 'user', content: 'How?' }] }
    const body = JSON.stringify({ ...text, sampling: { temperature: 0 }, lookahead: { mode: 'lr', verifier } })
    const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
    const sent = { method: 'POST', body, headers }
    const answer = await app.request('/v1/runs', sent, { ENGINE: 'openai', ...engines, ...env }, context)
    expect(await answer.text()).toContain('run.completed')
    const kept = calls.filter(({ path }) => /completions|generate/.test(path))
    return [...new Set(kept.map(({ body: said }) => said['cache_salt'] ?? said['extra_key']))]
  }

  test.each([
    ['vllm', 'exact'],
    ['vllm', 'likelihood'],
    ['vllm', 'score'],
    ['sglang', 'exact'],
    ['sglang', 'likelihood'],
  ] as const)('is its own: %s, %s', async (dialect, verifier) => {
    const [one, other] = [await salts(dialect, keys, '1', verifier), await salts(dialect, keys, '2', verifier)]
    expect([one.length, other.length]).toEqual([1, 1])
    expect([typeof one[0], typeof other[0]]).toEqual(['string', 'string'])
    expect(one).not.toEqual(other)
  })

  test('is all’s where no key is asked for, or the engine takes no fields that OpenAI has not', async () => {
    expect(await salts('vllm', {})).toEqual([undefined])
    expect((await salts('bare', keys, '1')).at(-1)).toBeUndefined()
  })
})

test('what the runs found an engine unable to do is told by its health, and nothing of one that can all', async () => {
  const [able, bare] = [engine('vllm', SAYS), engine('bare', SAYS)]
  await run({ target: able, draft: bare }, { depth: 1 })
  await run({ target: bare }, { mode: 'ar' })
  const details = async (target: FakeEngine, draft?: FakeEngine): Promise<unknown> => {
    for (const { url } of [target, draft ?? target])
      network.use(http.get(`${url}/v1/models`, () => HttpResponse.json({ data: [] })))
    const drafting = draft && { DRAFT_URL: draft.url, DRAFT_MODEL: 'small' }
    const env = { ENGINE: 'openai', TARGET_URL: target.url, TARGET_MODEL: 'big', ...drafting }
    return (await app.request('/health?details', {}, env, background().context)).json()
  }
  const lacks = ['many_prompts', 'token_ids', 'delimiters']
  expect(await details(able)).not.toHaveProperty('lacking')
  expect(await details(able, bare)).toMatchObject({ lacking: { draft: [...lacks, 'chat_messages'] } })
  expect(await details(bare)).toMatchObject({ backend: 'ok', lacking: { target: lacks } })
  await run({ target: bare, draft: bare }, { verifier: 'likelihood' })
  expect(await details(bare)).toMatchObject({ lacking: { target: [...lacks, 'likelihood'] } })
})

test.each([
  [
    'tells words alone',
    (body: object) =>
      'logprobs' in body
        ? HttpResponse.json({ error: { message: 'unknown' } }, { status: 400 })
        : HttpResponse.json({ choices: [{ message: { content: 'No.' } }] }),
    'log_probabilities',
  ],
  ['has no chat', () => HttpResponse.json({ error: { message: 'none' } }, { status: 404 }), 'verdicts'],
] as const)('what a judge lacks is told as well: one that %s', async (_, answer, lack) => {
  const judge = `http://${lack.replace('_', '-')}.test/v1`
  expect(await healthAfter(judge, answer)).toMatchObject({ lacking: { judge: [lack] } })
})

test('a judge that refuses one question, or was mended, lacks nothing', async () => {
  const judge = 'http://mended.test/v1'
  const refuse = (status: number) => () => HttpResponse.json({ error: { message: 'too long' } }, { status })
  expect(await healthAfter(judge, refuse(400))).not.toHaveProperty('lacking')
  expect(await healthAfter(judge, refuse(404))).toMatchObject({ lacking: { judge: ['verdicts'] } })
  const yes = { token: 'yes', logprob: -0.1 }
  const logprobs = { content: [{ ...yes, top_logprobs: [yes] }] }
  const agrees = () => HttpResponse.json({ choices: [{ message: { content: 'yes' }, logprobs }] })
  expect(await healthAfter(judge, agrees)).not.toHaveProperty('lacking')
})

/** What the worker's health says of engines after a run whose judge answers like this. */
async function healthAfter(judge: string, answer: (body: object) => Response): Promise<unknown> {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  onTestFinished(() => void vi.restoreAllMocks())
  const target = engine('vllm', SAYS)
  await run({ target, draft: engine('vllm', DRAFTS), judge }, { verifier: 'judge' }, {}, [
    http.post(`${judge}/chat/completions`, async ({ request }) => answer((await request.json()) as object)),
  ])
  for (const url of [`${target.url}/v1`, judge])
    network.use(http.get(`${url}/models`, () => HttpResponse.json({ data: [] })))
  const env = { ENGINE: 'openai', TARGET_URL: target.url, TARGET_MODEL: 'big', JUDGE_URL: judge, JUDGE_MODEL: 'judge' }
  return (await app.request('/health?details', {}, env, background().context)).json()
}
