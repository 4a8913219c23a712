/** Guesses while the draft writes: fewer forwards, and the same steps. */
import { expect, onTestFinished, test, vi } from 'vitest'
import { testProblems } from '../../../dataset/index.ts'
import { draftSteps, loadEngine, unaided, verify } from '../../../test/calls.ts'
import { stageEngine } from '../../../test/stage-engine.ts'

const stage = stageEngine()
const guessing = { speculation: { ngram: 8 } }
const alone = { speculation: { ngram: 0 } }

test('a draft that says the prompt again takes fewer forwards', async () => {
  const [said, then] = ['Ann has 5 red apples and 7 green ones in a box.\n\n', 'So it is 12.\n\n']
  const forwards: number[] = []
  for (const options of [alone, guessing]) {
    const draft = stage.writes('draft', said, [said, then])
    const before = draft.forwards.length
    const steps = await draftSteps(stage.engine, { id: 'run', prompt: said }, 2, {
      ...options,
      sampling: { temperature: 0 },
    })
    expect(steps.map(({ text }) => text)).toEqual([said, then])
    forwards.push(draft.forwards.length - before)
  }
  const [plain, guessed] = forwards
  expect(guessed).toBeLessThan(plain! / 2)
})

test('a step that is refuted while it is written is written anew, and never told in part', async () => {
  const own = 'One cat sits here, and looks at two dogs.\n\n'
  stage.writes('draft', 'Ann', [own])
  const { draft, contexts } = stage.engine
  const [first, ...rest] = stage.tokenizer.encode(own)
  const forward = vi.spyOn(draft!.model, 'forward')
  const staged = forward.getMockImplementation()!
  let forwards = 0
  forward.mockImplementation((...rows) => {
    if (++forwards === 3) {
      const context = contexts.get('run')
      context.drafts.refute()
      context.commit(stage.tokenizer, [first!])
    }
    return staged(...rows)
  })
  const steps = await draftSteps(stage.engine, { id: 'run', prompt: 'Ann' }, 1, {
    ...alone,
    sampling: { temperature: 0 },
  })
  expect(steps.map(({ tokens }) => tokens)).toEqual([rest.length])
})

test('what it wrote it need not read in the next cycle', async () => {
  const own = ['One cat sits here.\n\n', 'Two dogs come.\n\n', 'They go.\n\n']
  // Prefixes of a few tokens are not looked up.
  const prompt = 'How many red apples are in the box when Ann has 5 of them and gets 12 more?\n'
  const drafting = { ...alone, sampling: { temperature: 0 } }
  stage.writes('target', prompt, own)
  const draft = stage.writes('draft', prompt, own)
  const drafted = await draftSteps(stage.engine, { id: 'run', prompt }, 1, drafting)
  const steps = drafted.map(({ id, text }) => ({ id, text }))
  const options = { steps, verifier: 'exact', speculation: unaided, sampling: { temperature: 0 }, max_tokens: 100 }
  const { commit } = await verify(stage.engine, { id: 'run', length: 0 }, options)
  expect(commit.text).toBe(own[0]! + own[1]!)
  const before = draft.forwards.length
  await draftSteps(stage.engine, { id: 'run', length: commit.tokens.length }, 1, drafting)
  // The target's step, and the token before it, which nobody has gone on from yet.
  expect(draft.forwards[before]![0]!.tokens.length).toBeLessThanOrEqual(stage.tokenizer.encode(own[1]!).length + 1)
})

test.each([
  ['at its own temperature', { seed: 3 }, 1],
  ['at temperature 0', { temperature: 0 }, 1],
  ['with alternatives', { seed: 4, temperature: 1 }, 3],
])('whatever is guessed, the steps are the same: %s', async (_, sampling, width) => {
  const engine = await loadEngine()
  onTestFinished(() => engine.close())
  for (const { question } of testProblems(3)) {
    const context = { id: 'run', messages: [{ role: 'user' as const, content: question }] }
    const drafted = async (options: object) => {
      const steps = await draftSteps(engine, context, 6, { width, sampling, ...options })
      return steps.map(({ index, alternative, text, tokens }) => ({ index, alternative, text, tokens }))
    }
    expect(await drafted(guessing)).toEqual(await drafted(alone))
  }
})
