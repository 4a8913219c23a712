/** How long a text may be is the engine's to say: what fits is written, and where no more does the text is over. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { FakeEngine } from './fake-engine.ts'
import { engine, network, run } from './run-on-engines.ts'
import type { Ran } from './run-on-engines.ts'

beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

/** Twelve steps of nine tokens, and `<q>How many?<a>` before them. */
const SAYS = Array.from({ length: 12 }, (_, i) => `Step ${i} is done.`).join('\n\n')
const TOKENS = 12 * 8 - 1
const PROMPT = 5

const ALL = { max_tokens: 2 ** 20 }
const types = ({ events }: Ran) => [...new Set(events.map(({ type }) => type))]
const written = ({ calls }: Ran, { url }: FakeEngine) =>
  calls.filter(({ path, body }) => path === `${url}/v1/completions` && (body['max_tokens'] as number) > 8)

describe.each(['vllm', 'sglang', 'llama', 'bare'] as const)('%s', (dialect) => {
  const modes = ['ar', 'sd', 'lr', 'auto'] as const

  test.each(modes)('mode %s without a limit of its own: the whole text', async (mode) => {
    const target = engine(dialect, SAYS, { context: 4096 })
    const { text, last } = await run({ target, draft: engine(dialect, SAYS, { context: 4096 }) }, { mode }, ALL)
    expect([text, last]).toMatchObject([SAYS, { type: 'run.completed', finish_reason: 'stop' }])
  })

  test.each(modes)('mode %s: a text that fills the context ends there, with `length`', async (mode) => {
    const context = PROMPT + 50
    const target = engine(dialect, SAYS, { context })
    const ran = await run({ target, draft: engine(dialect, SAYS, { context: 4096 }) }, { mode }, ALL)
    expect(ran.last).toMatchObject({
      type: 'run.completed',
      finish_reason: 'length',
      usage: { completion_tokens: 50 },
    })
    expect(SAYS.startsWith(ran.text)).toBe(true)
    expect(types(ran)).not.toContain('run.degraded')
  })

  test('a draft whose context is shorter than what could be drafted drafts what it has room for', async () => {
    const draft = engine(dialect, SAYS, { context: PROMPT + TOKENS + 20 })
    const ran = await run({ target: engine(dialect, SAYS), draft }, { depth: 3 }, ALL)
    expect([ran.text, ran.last.type]).toEqual([SAYS, 'run.completed'])
    expect(types(ran)).toContain('step.accepted')
    expect(types(ran)).not.toContain('run.degraded')
  })

  test('a prompt that fills it alone is refused', async () => {
    const target = engine(dialect, SAYS, { context: PROMPT + 50 })
    await run({ target }, { mode: 'ar' })
    const long = { ...ALL, messages: undefined, prompt: `<q>${'much '.repeat(60)}<a>` }
    const { events, last } = await run({ target }, { mode: 'ar' }, long as object)
    expect(last).toMatchObject({ type: 'run.failed', code: 'context_length_exceeded' })
    // One that tells its context need not be asked.
    expect(events).toHaveLength(['vllm', 'sglang'].includes(dialect) ? 1 : 2)
  })
})

test.each(['vllm', 'sglang'] as const)(
  '%s, which tells its context, is never asked for more than fits',
  async (dialect) => {
    const target = engine(dialect, SAYS, { context: PROMPT + 50 })
    const draft = engine(dialect, SAYS, { context: PROMPT + 60 })
    const ran = await run({ target, draft }, { depth: 3 }, ALL)
    const sizes = [target, draft].flatMap((one) =>
      written(ran, one).map(({ body }) => {
        const prompts = body['prompt'] as number[] | number[][]
        const lengths =
          typeof prompts[0] === 'number' ? [prompts.length] : (prompts as number[][]).map((ids) => ids.length)
        return Math.max(...lengths) + (body['max_tokens'] as number) <= one.context!
      }),
    )
    expect(sizes.length).toBeGreaterThan(2)
    expect(sizes).not.toContain(false)
  },
)

test('one that does not tell is asked for bounded amounts, and for less where it refuses', async () => {
  const target = engine('bare', SAYS, { context: PROMPT + 50 })
  const ran = await run({ target }, { mode: 'ar' }, ALL)
  expect(Math.max(...written(ran, target).map(({ body }) => body['max_tokens'] as number))).toBeLessThan(10_000)
  expect(written(ran, target).length).toBeLessThan(60)
})

describe.each(['vllm', 'sglang'] as const)('%s, asked for its opinion of drafted steps', (dialect) => {
  test('of which only those stand that there is room for', async () => {
    const [target, draft] = [engine(dialect, SAYS), engine(dialect, SAYS)]
    const { text, last } = await run({ target, draft }, { depth: 8, verifier: 'likelihood' }, { max_tokens: 20 })
    expect(last).toMatchObject({ type: 'run.completed', finish_reason: 'length', usage: { completion_tokens: 20 } })
    expect(SAYS.startsWith(text)).toBe(true)
  })

  test('writes alone where they do not fit into its context', async () => {
    const target = engine(dialect, SAYS, { context: PROMPT + 50 })
    const lookahead = { depth: 8, verifier: 'likelihood' }
    const ran = await run({ target, draft: engine(dialect, SAYS) }, lookahead, ALL)
    expect(ran.last).toMatchObject({ type: 'run.completed', finish_reason: 'length', usage: { completion_tokens: 50 } })
    expect(types(ran)).not.toContain('run.degraded')
  })
})
