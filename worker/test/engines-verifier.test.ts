/** A run that names no verifier is ruled on by the best that its engines can do, and says by which. */
import { HttpResponse, http } from 'msw'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { engine, network, run, verdictsIn } from './run-on-engines.ts'

beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

const SAYS = 'We know 3 shells.\n\nTwo more make 3+2 = 5.\n\nSo there are 5.\n\nThe answer is 5.'
const DRAFTS = 'We know 3 shells.\n\nWith 2 more it is 3+2 = 5.\n\nSo there are 6.\n\nIt is 6.'

const unnamed = { verifier: undefined }
const yes = { token: 'yes', logprob: -0.1 }
const judge = 'http://judge-of-any.test/v1'
const agrees = http.post(`${judge}/chat/completions`, () =>
  HttpResponse.json({
    choices: [{ message: { content: 'yes' }, logprobs: { content: [{ ...yes, top_logprobs: [yes] }] } }],
  }),
)

describe.each(['vllm', 'sglang'] as const)('%s', (dialect) => {
  test('scores what was drafted, and is asked for that', async () => {
    const { text, events, last } = await run({ target: engine(dialect, SAYS), draft: engine(dialect, DRAFTS) }, unnamed)
    expect([text, last.type]).toEqual([SAYS, 'run.completed'])
    expect(events[0]).toMatchObject({ type: 'run.started', verifier: 'likelihood' })
    expect(verdictsIn(events)[0]).toBe('accepted likely')
  })
})

describe.each(['llama', 'bare'] as const)('%s, which cannot score given tokens', (dialect) => {
  const both = () => ({ target: engine(dialect, SAYS), draft: engine(dialect, DRAFTS) })

  test.each([undefined, 0.4])('keeps what is said alike: threshold %s', async (threshold) => {
    const { text, events, last } = await run(both(), { ...unnamed, threshold })
    expect([text, last.type]).toEqual([SAYS, 'run.completed'])
    expect(events[0]).toMatchObject({ type: 'run.started', verifier: 'exact' })
    expect(verdictsIn(events)).toContain('accepted exact')
  })

  test('has the judge compare, if there is one', async () => {
    const { events, last } = await run({ ...both(), judge }, unnamed, {}, [agrees])
    expect(last.type).toBe('run.completed')
    expect(events[0]).toMatchObject({ type: 'run.started', verifier: 'judge' })
    expect(verdictsIn(events)).toContain('accepted judge')
  })

  test('refuses it by name', async () => {
    const { last } = await run(both(), { verifier: 'likelihood' })
    expect(last).toMatchObject({
      type: 'run.failed',
      code: 'invalid_request',
      message: expect.stringMatching(/verifier/),
    })
  })
})

test('a target that writes alone is not asked what it thinks of drafts', async () => {
  const { calls, events } = await run({ target: engine('vllm', SAYS) }, { ...unnamed, mode: 'ar' })
  expect(events[0]).toMatchObject({ type: 'run.started', verifier: 'likelihood' })
  expect(calls.filter(({ body }) => 'prompt_logprobs' in body)).toEqual([])
})
