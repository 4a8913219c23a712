/** Tokens of thinking are counted as they come, whoever wrote them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { app } from '../src/app.ts'
import { handlersOf } from './fake-engine.ts'
import { engine, network, run } from './run-on-engines.ts'

beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

const SAYS = '<think>Let me see.\n\nTwo more.</think>\n\nThe answer is 5.\n\nThat is all.'
const DRAFTS = '<think>Let me see.\n\nOne more.</think>\n\nThe answer is 5.\n\nIt is.'
/** Its tags, and nothing behind the second. */
const THOUGHTS = 11

describe.each(['vllm', 'sglang', 'llama', 'bare'] as const)('%s', (dialect) => {
  test.each([
    ['ar', SAYS],
    ['lr', SAYS],
    ['lr', DRAFTS],
  ] as const)('mode %s', async (mode, drafts) => {
    const engines = { target: engine(dialect, SAYS), draft: engine(dialect, drafts) }
    const { last } = await run(engines, { mode, verifier: undefined })
    expect(last).toMatchObject({ type: 'run.completed', usage: { reasoning_tokens: THOUGHTS } })
  })
})

test.each([
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'How?' }] }, 'completion_tokens_details'],
  ['/v1/responses', { input: 'How?' }, 'output_tokens_details'],
])('and are told by %s', async (path, asked, details) => {
  const [target, draft] = [engine('vllm', SAYS), engine('vllm', DRAFTS)]
  network.use(...[target, draft].flatMap((one) => handlersOf(one, [])))
  const engines = { TARGET_URL: target.url, TARGET_MODEL: 'big', DRAFT_URL: draft.url, DRAFT_MODEL: 'small' }
  const body = JSON.stringify({ model: 'target', temperature: 0, ...asked })
  const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
  const answer = await app.request(path, { method: 'POST', body }, { ENGINE: 'openai', ...engines }, context)
  const { usage } = (await answer.json()) as { usage: object }
  expect(usage).toMatchObject({ [details]: { reasoning_tokens: THOUGHTS } })
})
