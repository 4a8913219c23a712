/** Several drafted steps for one place, and steps that the target rates, on engines that are not ours. */
import type { RunEvent } from '@lookahead/sdk/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { engine, network, run, verdictsIn } from './run-on-engines.ts'

beforeAll(() => network.listen())
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

const SAYS = 'We know 3 shells.\n\nTwo more make 3+2 = 5.\n\nSo there are 5.\n\nThe answer is 5.'
/** Parts from it at the second and third step, and at the third the target goes its way. */
const DRAFTS = 'We know 3 shells.\n\nOne more makes 4.\n\nSo there are 5.\n\nIt is 6.'

const stepsIn = (events: readonly RunEvent[]): string[] =>
  events.flatMap((event) =>
    'step' in event && 'text' in event
      ? [
          `${event.type.slice(5)} ${event.step}.${('alternative' in event && event.alternative) || 0} ${event.text.trim()}`,
        ]
      : [],
  )

describe.each(['vllm', 'sglang', 'llama', 'bare'] as const)('%s, two wide', (dialect) => {
  const draft = () => engine(dialect, DRAFTS, { varies: SAYS })

  test('keeps the alternative that the target confirms, and the text is the target’s', async () => {
    const { text, events, last } = await run({ target: engine(dialect, SAYS), draft: draft() }, { depth: 3, width: 3 })
    expect([text, last.type]).toEqual([SAYS, 'run.completed'])
    expect(stepsIn(events).slice(0, 8)).toEqual([
      'drafted 0.0 We know 3 shells.',
      'drafted 1.0 One more makes 4.',
      'drafted 2.0 So there are 5.',
      // The other is the same; so are both of the places around it.
      'drafted 1.1 Two more make 3+2 = 5.',
      'accepted 0.0 We know 3 shells.',
      'rejected 1.0 One more makes 4.',
      'accepted 1.1 Two more make 3+2 = 5.',
      // What was drafted after the first was drafted after what does not stand.
      'drafted 2.0 So there are 5.',
    ])
  })

  test('has more steps accepted than one wide', async () => {
    const statsOf = async (width: number) => {
      const { last } = await run({ target: engine(dialect, SAYS), draft: draft() }, { depth: 3, width })
      return last.type === 'run.completed' ? last.stats : undefined
    }
    const [one, two] = [await statsOf(1), await statsOf(2)]
    expect(two!.accepted_steps).toBeGreaterThan(one!.accepted_steps)
  })

  test('is cut at the same token where there is no more room', async () => {
    const rest = { max_tokens: 9 }
    const plain = await run({ target: engine(dialect, SAYS) }, { mode: 'ar' }, rest)
    const { text, last } = await run({ target: engine(dialect, SAYS), draft: draft() }, { depth: 2, width: 2 }, rest)
    expect(text).toBe(plain.text)
    expect(last).toMatchObject({ finish_reason: 'length', usage: { completion_tokens: 9 } })
  })
})

describe.each(['vllm', 'sglang'] as const)('%s, two wide', (dialect) => {
  test.each([
    [undefined, 1],
    [7, 2],
  ])('with the seed %s draws all alternatives in so many calls: %i', async (seed, count) => {
    const draft = engine(dialect, DRAFTS, { varies: SAYS })
    const sampling = { temperature: 0, ...(seed !== undefined && { seed }) }
    const { calls } = await run({ target: engine(dialect, SAYS), draft }, { depth: 3, width: 3 }, { sampling })
    const drawn = calls.filter(({ path, body }) => path.startsWith(draft.url) && body['temperature'] === 1)
    const first = drawn.slice(0, count)
    expect(first.map(({ body }) => (body['prompt'] as unknown[]).length)).toEqual(count === 1 ? [6] : [3, 3])
    expect(new Set(first.map(({ body }) => body['seed'])).size).toBe(count)
  })

  test('has the target score alternatives too', async () => {
    const draft = engine(dialect, DRAFTS, { varies: SAYS })
    const ahead = { depth: 2, width: 2, verifier: 'likelihood' }
    const { text, events } = await run({ target: engine(dialect, SAYS), draft }, ahead)
    expect(text).toBe(SAYS)
    expect(verdictsIn(events).slice(0, 3)).toEqual(['accepted likely', 'rejected unlikely', 'accepted likely'])
  })
})

describe.each(['vllm', 'sglang', 'llama', 'bare'] as const)('score, %s', (dialect) => {
  /** Of the steps that it does not write itself. */
  const rates = (prompt: string) => (prompt.includes('One more') ? 8 : 3)

  test('a step that the target rates well stands, in one token', async () => {
    const target = engine(dialect, SAYS, { rates })
    const { text, events, calls } = await run({ target, draft: engine(dialect, DRAFTS) }, { verifier: 'score' })
    expect(text).toContain('One more makes 4.')
    expect(verdictsIn(events)).toContain('accepted score')
    const asked = calls.filter(
      ({ path, body }) => path.startsWith(target.url) && body['max_tokens'] === 1 && !body['stream'],
    )
    expect(asked.length).toBeGreaterThan(0)
    expect(JSON.stringify(asked)).toContain('from 0 to 9')
  })

  test('and one that it rates poorly does not', async () => {
    const target = engine(dialect, SAYS, { rates: () => 6 })
    const { text, events } = await run({ target, draft: engine(dialect, DRAFTS) }, { verifier: 'score' })
    expect(text).toBe(SAYS)
    expect(verdictsIn(events)).toContain('rejected score')
  })

  test('a target that answers with no digit is named to the operator, and the run goes on', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    onTestFinished(() => log.mockRestore())
    const { text, events, last } = await run(
      { target: engine(dialect, SAYS), draft: engine(dialect, DRAFTS) },
      { verifier: 'score' },
    )
    expect([text, last.type]).toEqual([SAYS, 'run.completed'])
    expect(log.mock.calls.join()).toContain('no digit')
    expect(events).toContainEqual(expect.objectContaining({ type: 'run.degraded', part: 'judge' }))
  })
})
