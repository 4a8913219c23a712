/** What the operator of a backend chooses of its verifiers: rules left out, and how long one may take. */
import { describe, expect, test, vi } from 'vitest'
import { unaided, verify } from '../../../test/calls.ts'
import { stageEngine } from '../../../test/stage-engine.ts'
import type { Stage } from '../../../test/stage-engine.ts'

const context = { id: 'run', prompt: 'What is x?\n' }

async function rule(staged: Stage, draft: string, target: string, verifier?: string) {
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

describe('where the rule about numbers is left out', () => {
  const staged = stageEngine({ rules: ['names'] })

  test('the judge hears of other numbers; the other rule stands', async () => {
    const judge = staged.judges(() => 1)
    expect(await rule(staged, 'So 2x.\n\n', 'So x+x.\n\n')).toMatchObject({ accepted: true, reason: 'judge' })
    expect(judge.forwards).toHaveLength(1)
    const names = await rule(staged, 'So it is Ann.\n\n', 'So it is Bea.\n\n')
    expect(names).toMatchObject({ accepted: false, reason: 'names' })
  })

  test('`judge-only` has none of them', async () => {
    staged.judges(() => 1)
    const names = await rule(staged, 'So it is Ann.\n\n', 'So it is Bea.\n\n', 'judge-only')
    expect(names).toMatchObject({ reason: 'judge' })
  })
})

describe('with a time limit', () => {
  const staged = stageEngine({ verifierTimeoutMs: 20 })

  test('a judge that does not answer accepts nothing, and the run goes on', async () => {
    vi.spyOn(console, 'error').mockReturnValue()
    const { promise: free, resolve: release } = Promise.withResolvers<void>()
    staged.judges(() => 1).before = () => free
    expect(await rule(staged, 'We a.\n\n', 'I a.\n\n')).toEqual({
      index: 0,
      accepted: false,
      reason: 'judge_failed',
      text: 'I a.\n\n',
    })
    // Its forward is under way still, and then gives its slots back.
    release()
    await vi.waitFor(() => staged.engine.judge!.runner.kv.assertIdle(), { timeout: 30_000 })
  })
})
