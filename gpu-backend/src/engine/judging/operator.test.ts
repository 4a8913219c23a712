/** What the operator of a backend chooses of its verifiers: rules left out, and how long one may take. */
import { expect, test, vi } from 'vitest'
import { unaided, verify } from '../../../test/calls.ts'
import { stageEngine } from '../../../test/stage-engine.ts'

const context = { id: 'run', prompt: 'What is x?\n' }
const staged = stageEngine({ rules: ['names'], verifierTimeoutMs: 100 })

const rule = async (draft: string, target: string, verifier?: string) => {
  staged.writes('target', context.prompt, [target], [draft, 'Then.\n\n'])
  const { verdicts, commit } = await verify(staged.engine, context, {
    steps: [{ text: draft }],
    max_tokens: 40,
    sampling: { temperature: 0 },
    speculation: unaided,
    ...(verifier !== undefined && { verifier }),
  })
  return { ...verdicts[0], text: commit.text }
}

test('where the rule about numbers is left out, the judge hears of other numbers; the other rule stands', async () => {
  const judge = staged.judges(() => 1)
  expect(await rule('So 2x.\n\n', 'So x+x.\n\n')).toMatchObject({ accepted: true, reason: 'judge' })
  expect(judge.forwards).toHaveLength(1)
  expect(await rule('So it is Ann.\n\n', 'So it is Bea.\n\n')).toMatchObject({ accepted: false, reason: 'names' })
})

test('`judge-only` has none of them', async () => {
  staged.judges(() => 1)
  expect(await rule('So it is Ann.\n\n', 'So it is Bea.\n\n', 'judge-only')).toMatchObject({ reason: 'judge' })
})

test('a judge that does not answer in time accepts nothing, and the run goes on', async () => {
  vi.spyOn(console, 'error').mockReturnValue()
  const judge = staged.judges(() => 1)
  judge.before = () => new Promise((resolve) => setTimeout(resolve, 400))
  expect(await rule('We a.\n\n', 'I a.\n\n')).toEqual({
    index: 0,
    accepted: false,
    reason: 'judge_failed',
    text: 'I a.\n\n',
  })
  // Its forward is under way still, and then gives its slots back.
  await vi.waitFor(() => staged.engine.judge!.runner.kv.assertIdle(), { timeout: 2000 })
})
