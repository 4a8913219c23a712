/** The target rates drafted steps: it reads each in its place, and the digit it finds likeliest counts. */
import { expect, test, vi } from 'vitest'
import { unaided, verify } from '../../../test/calls.ts'
import { stageEngine } from '../../../test/stage-engine.ts'
import { lines } from '../../../test/staged.ts'
import { Scorer } from './scorer.ts'

const question = 'How many apples has Ann?'
const context = { id: 'run', messages: [{ role: 'user' as const, content: question }] }
const staged = stageEngine()

/** The target writes the first of these that goes on as the text does, and gives what it rates this score. */
function targetSays(texts: string[][], rate: (prompt: string) => number): string[] {
  const { tokenizer, end } = staged
  const prompt = tokenizer.encode(tokenizer.renderChat(context.messages, { addGenerationPrompt: true }))
  const write = lines(tokenizer, prompt.length, end, ...texts)
  const heard: string[] = []
  staged.says('target', (text) => {
    const read = tokenizer.decode(text)
    if (!read.endsWith('score is: ')) return write(text)
    heard.push(read)
    return tokenizer.encode(String(rate(read)))[0]!
  })
  return heard
}

const rule = (texts: string[]) =>
  verify(staged.engine, context, {
    steps: texts.map((text) => ({ text })),
    max_tokens: 60,
    sampling: { temperature: 0 },
    speculation: unaided,
    verifier: 'score',
  })

test.each([
  [9, true],
  [7, true],
  [6, false],
  [0, false],
])('a score of %d: %s', async (score, accepted) => {
  targetSays([['I say 13.\n\n']], () => score)
  expect((await rule(['So it is 12.\n\n'])).verdicts).toEqual([{ index: 0, accepted, reason: 'score' }])
})

test('the step is rated after the question and the steps before it', async () => {
  const heard = targetSays(
    [
      ['One.\n\n', 'Two.\n\n'],
      ['One.\n\n', 'Another two.\n\n', 'Three.\n\n'],
    ],
    () => 9,
  )
  const { verdicts } = await rule(['One.\n\n', 'Another two.\n\n'])
  expect(verdicts.map(({ reason }) => reason)).toEqual(['exact', 'score'])
  expect(heard).toHaveLength(1)
  expect(heard[0]).toMatch(
    /user\nHow many apples has Ann\?[^]*assistant\nOne\.\n\nAnother two\.[^]*user\nRate the last/,
  )
})

test('the rating is written after the thinking that the template opens, which the step has no part in', async () => {
  const heard = targetSays([], () => 9)
  const steps = ['So it is 12.', 'So <think> it is 12.', 'So it is 12. </think>']
  const scorer = new Scorer(staged.engine.target)
  const asked = steps.map((draft) => ({ draft, context: { question, before: '' } }))
  expect(await scorer.rate(asked, new AbortController().signal)).toEqual([9, 9, 9])
  for (const prompt of heard)
    expect(prompt).toMatch(/0 to 9\.\S*\s*assistant\n<think>\n<\/think>\n\nI think the quality score is: $/)
  expect(heard).toHaveLength(3)
})

test('what is the target’s own step is not rated', async () => {
  const heard = targetSays([['One.\n\n', 'Two.\n\n']], () => 0)
  expect((await rule(['One.\n\n'])).verdicts).toEqual([{ index: 0, accepted: true, reason: 'exact' }])
  expect(heard).toEqual([])
})

test('where there are no slots for a rating the step is rejected, and nobody waits', async () => {
  vi.spyOn(console, 'error').mockReturnValue()
  const heard = targetSays([['I say 13.\n\n']], () => 9)
  const { pool } = staged.engine.target.kv
  const verifier = staged.engine.verifier('score')
  const ask = verifier.ask!
  let held: number[] = []
  vi.spyOn(verifier, 'ask').mockImplementation((...asked) => {
    held = pool.take(pool.free)!
    return ask(...asked)
  })
  const { verdicts, commit } = await rule(['So it is 12.\n\n'])
  pool.give(held)
  expect(verdicts).toEqual([{ index: 0, accepted: false, reason: 'judge_failed' }])
  expect(commit.text).toBe('I say 13.\n\n')
  expect(heard).toEqual([])
})
