/** What becomes of a drafted step: the target writes what the test says, and who rules hears both and is obeyed. */
import { describe, expect, test, vi } from 'vitest'
import type { StepRulesInput, Verdict } from '@lookahead/sdk/protocol'
import { asDrafted, unaided, verify } from '../../test/calls.ts'
import type { VerifyOptions } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import { weighed } from '../../test/staged.ts'
import type { Staged } from '../../test/staged.ts'

const prompt = 'How many apples has Ann in the end, if she eats some?\n'
const context = { id: 'run', prompt }
const staged = stageEngine()
const targetSays = (...texts: string[][]): Staged => staged.writes('target', prompt, ...texts)
const judgeSays = staged.judges

const rule = (drafts: string[], options: Partial<VerifyOptions> = {}) =>
  verify(staged.engine, context, {
    steps: drafts.map((text) => ({ text })),
    max_tokens: 100,
    sampling: { temperature: 0 },
    speculation: unaided,
    ...options,
  })

const only = (accepted: boolean, reason: Verdict['reason']) => [{ index: 0, accepted, reason }]

describe('the judge', () => {
  test('hears the target’s step and the drafted one, and its verdicts go to the steps they are about', async () => {
    targetSays(['I a.\n\n'], ['We a.\n\n', 'I b.\n\n'], ['We a.\n\n', 'We b.\n\n', 'I c.\n\n'])
    const heard: string[] = []
    const judge = judgeSays((target, draft) => {
      heard.push(`${target} ${draft}`)
      return draft === 'We c.' ? -1 : 1
    })
    const { verdicts, commit } = await rule(['We a.\n\n', 'We b.\n\n', 'We c.\n\n'])
    expect(heard).toEqual(['I a. We a.', 'I b. We b.', 'I c. We c.'])
    expect(judge.forwards.map((rows) => rows.length)).toEqual([3])
    expect(verdicts).toEqual([
      { index: 0, accepted: true, reason: 'judge' },
      { index: 1, accepted: true, reason: 'judge' },
      { index: 2, accepted: false, reason: 'judge' },
    ])
    expect(commit).toMatchObject({ accepted: 2, text: 'We a.\n\nWe b.\n\nI c.\n\n', correction: 'I c.\n\n' })
  })

  test.each([
    [0.1, true],
    [-0.1, false],
  ])('that finds aligned by %d more likely than not decides so', async (by, accepted) => {
    targetSays(['I a.\n\n'])
    judgeSays(() => by)
    expect((await rule(['We b.\n\n'])).verdicts).toEqual(only(accepted, 'judge'))
  })

  test('that ships knows the same step in other words from another', async () => {
    const target = 'Let me verify the missing money: 39+143=182. Correct.\n\n'
    const same = 'Check: 39+143=182, so the missing money is right.\n\n'
    const other = 'Adding, 39+143=182, so the red beads are 182.\n\n'
    targetSays([target], [same, 'Then.\n\n'])
    expect((await rule([same])).verdicts).toEqual(only(true, 'judge'))
    expect((await rule([other])).verdicts).toEqual(only(false, 'judge'))
  })

  test('is not asked where the steps are the same but for case and white space', async () => {
    targetSays(['So 12  apples.\n\n'])
    const judge = judgeSays(() => -1)
    expect((await rule(['so 12 Apples.\n\n'])).verdicts).toEqual(only(true, 'exact'))
    expect(judge.forwards).toEqual([])
  })
})

describe('what no judge is asked about', () => {
  test.each<[string, string, string, Verdict['reason']]>([
    ['the draft leaves a number out', 'It is 9.\n\n', 'It is 12 - 3 = 9.\n\n', 'numbers'],
    ['the draft names one more', 'It is 12 - 3 = 9.\n\n', 'It is 9.\n\n', 'numbers'],
    ['the draft names another', 'It is 9.\n\n', 'So it is 8.\n\n', 'numbers'],
    ['the two have only digits in common', 'It is 121.\n\n', 'So it is 12 - 1.\n\n', 'numbers'],
    ['the draft alone ends the thinking', 'So be it</think>.\n\n', 'So it is.\n\n', 'end'],
    ['the target alone ends the thinking', 'So it is.\n\n', 'So be it</think>.\n\n', 'end'],
    ['the target’s ends the text', 'We are done.\n\n', 'That is all.', 'end'],
    ['the target ends the text after the same words', 'We are done. \n\n', 'We are done.', 'end'],
    ['the draft was cut', 'We are', 'So it is.\n\n', 'half_step'],
  ])('%s: rejected', async (_, drafted, target, reason) => {
    targetSays([target])
    const judge = judgeSays(() => 1)
    const { verdicts, commit } = await rule([drafted])
    expect(verdicts).toEqual(only(false, reason))
    expect(commit.text).toBe(target)
    expect(judge.forwards).toEqual([])
  })

  test('the same numbers in another order, and more often, are the judge’s', async () => {
    targetSays(['It is 12 - 3 = 9.\n\n'], ['9 it is: 3 from 12 is 9.\n\n', 'Then.\n\n'])
    judgeSays(() => 1)
    expect((await rule(['9 it is: 3 from 12 is 9.\n\n'])).verdicts).toEqual(only(true, 'judge'))
  })

  test.each([
    ['max_tokens', { max_tokens: 5 }],
    ['the step cap', { step_rules: { max_tokens: 5 } }],
  ])('a target’s step cut by %s is not judged', async (_, limit) => {
    targetSays(['We are not yet through with it, far from it.\n\n'])
    const judge = judgeSays(() => 1)
    const { verdicts, commit } = await rule(['We.\n\n'], limit)
    expect(verdicts).toEqual(only(false, 'half_step'))
    expect(commit.tokens).toHaveLength(5)
    expect(judge.forwards).toEqual([])
  })

  test('half steps are judged where they are to be, in the part of the text they begin in', async () => {
    targetSays(['We are not yet through with it, far from it.\n\n'])
    const cap = { max_tokens: 5 }
    const verdicts = async (step_rules: StepRulesInput) => {
      const judge = judgeSays(() => 1)
      const {
        verdicts: [verdict],
      } = await rule(['We.\n\n'], { step_rules })
      return [verdict!.reason, judge.forwards.length]
    }
    expect(await verdicts({ ...cap, half_steps: 'verify' })).toEqual(['judge', 1])
    expect(await verdicts({ ...cap, answer: { half_steps: 'verify' } })).toEqual(['judge', 1])
    expect(await verdicts({ ...cap, reasoning: { half_steps: 'verify' } })).toEqual(['half_step', 0])
    expect(await verdicts({ half_steps: 'verify', answer: { ...cap, half_steps: 'reject' } })).toEqual(['half_step', 0])
  })

  test('a step that names a number the draft does not is rejected before it ends, once the number is whole', async () => {
    const target = targetSays(['It is 12 of 345 and so on, for a long time yet, and more.\n\n'])
    const { verdicts } = await rule(['It may be 12 of 34.\n\n'])
    expect(verdicts).toEqual(only(false, 'numbers'))
    const written = target.asked.map((text) => staged.tokenizer.decode(text).slice(prompt.length))
    expect(written).toContain('It is 12 of 345')
  })

  test('a number that the draft has, and that has still to grow, rejects nothing', async () => {
    targetSays(['It is 345.\n\n'], ['It will be 345.\n\n', 'Then.\n\n'])
    judgeSays(() => 1)
    expect((await rule(['It will be 345.\n\n'])).verdicts).toEqual(only(true, 'judge'))
  })

  test('verdicts come in the order of the steps, whichever is clear first', async () => {
    targetSays(['I say it in a good many words, for once.\n\n'], ['We a.\n\n', 'I 7.\n\n'])
    judgeSays(() => 1)
    const { verdicts, events } = await rule(['We a.\n\n', 'We b.\n\n'])
    expect(verdicts).toEqual([
      { index: 0, accepted: true, reason: 'judge' },
      { index: 1, accepted: false, reason: 'numbers' },
    ])
    expect(events.at(-2)).toMatchObject({ type: 'commit', accepted: 1, text: 'We a.\n\nI 7.\n\n' })
  })

  test('once a step is rejected the target writes no further at those after it', async () => {
    const words = 'I b, and say so in a good many words, as nobody has asked me to.\n\n'
    const target = targetSays(['I a.\n\n'], ['We a.\n\n', words])
    judgeSays(() => -1)
    expect((await rule(['We a.\n\n', 'We b.\n\n'])).verdicts).toEqual(only(false, 'judge'))
    expect(target.forwards.length).toBeLessThanOrEqual(staged.tokenizer.encode('I a.\n\n').length)
  })

  test('a judge that fails accepts nothing, and the target’s own step stands', async () => {
    vi.spyOn(console, 'error').mockReturnValue()
    targetSays(['I a.\n\n'])
    vi.spyOn(staged.engine.judge!.runner.model, 'forward').mockRejectedValue(new Error('staged'))
    const { verdicts, commit } = await rule(['We a.\n\n'])
    expect(verdicts).toEqual(only(false, 'judge_failed'))
    expect(commit).toMatchObject({ accepted: 0, text: 'I a.\n\n' })
  })
})

describe.each([
  ['unaided', unaided],
  ['with the drafted tokens as guesses', asDrafted],
])('the exact verifier, %s', (_, speculation) => {
  const exactly = (drafts: string[], options: Partial<VerifyOptions> = {}) =>
    rule(drafts, { verifier: 'exact', speculation, ...options })

  test.each([
    ['the same', 'So 12 apples.\n\n', true],
    ['another last token', 'So 12 apples\n\n', false],
    ['another case', 'so 12 apples.\n\n', false],
    ['a token more', 'So 12 apples.\n\nSo', false],
    ['a step more', 'So 12 apples.\n\nSo 12 pears.\n\n', false],
  ])('%s: %j', async (_case, drafted, accepted) => {
    targetSays(['So 12 apples.\n\n', 'So 12 pears.\n\n'])
    const judge = judgeSays(() => 1)
    const { verdicts, commit } = await exactly([drafted])
    expect(verdicts).toEqual(only(accepted, 'exact'))
    expect(commit.text).toBe(accepted ? 'So 12 apples.\n\nSo 12 pears.\n\n' : 'So 12 apples.\n\n')
    expect(judge.forwards).toEqual([])
  })

  test('a target’s step cut by max_tokens where it agrees is no match', async () => {
    targetSays(['So 12 apples and pears.\n\n'])
    const { verdicts, commit } = await exactly(['So 12 apples.\n\n'], { max_tokens: 4 })
    expect(verdicts.map(({ accepted }) => accepted)).not.toContain(true)
    expect(commit).toMatchObject({ accepted: 0, finish: 'length' })
    expect(commit.tokens).toHaveLength(4)
  })
})

describe('the target’s own opinion', () => {
  const [cats, dogs] = ['One cat.\n\n', 'Two dogs.\n\n']

  /** The target begins in one of two ways, with `cats` three times in ten at temperature 1. */
  const ruleOnCats = async (options: Partial<VerifyOptions>) => {
    const { tokenizer, end } = staged
    const start = tokenizer.encode(prompt).length
    const known = [cats, dogs].map((text) => tokenizer.encode(text, { continuing: true })) as [number[], number[]]
    const either = weighed(new Map(known.map((tokens, i) => [tokens[0]!, [0.3, 0.7][i]!])))
    staged.says('target', (text) => {
      const written = text.slice(start)
      if (written.length === 0) return either
      return known.find((tokens) => written.every((token, i) => token === tokens[i]))?.[written.length] ?? end
    })
    const { verdicts, commit } = await rule([cats], { verifier: 'likelihood', ...options })
    expect([cats, dogs]).toContain(commit.text)
    return verdicts
  }

  test.each<[string, Partial<VerifyOptions>, boolean]>([
    // p · exp(H) of three in ten is 0.55; at temperature 0.3 it is one in eighteen, at 0.07.
    ['the tokens are typical of what it draws', { sampling: { temperature: 1 } }, true],
    ['they are as typical as asked', { sampling: { temperature: 1 }, threshold: 0.55 }, true],
    ['they are less typical than asked', { sampling: { temperature: 1 }, threshold: 0.56 }, false],
    ['it would hardly draw them so cold', { sampling: { temperature: 0.3 } }, false],
    ['less is asked', { sampling: { temperature: 0.3 }, threshold: 0.05 }, true],
    ['top-p leaves them out', { sampling: { temperature: 1, top_p: 0.6 }, threshold: 0.001 }, false],
    ['it draws nothing but the likeliest', { sampling: { temperature: 0 }, threshold: 0.001 }, false],
  ])('where %s', async (_, options, accepted) => {
    for (const speculation of [unaided, asDrafted])
      expect(await ruleOnCats({ ...options, speculation })).toEqual(only(accepted, accepted ? 'likely' : 'unlikely'))
  })

  test('has no threshold where a judge rules, and says who has one', () => {
    expect(() => staged.engine.verifier('judge', 0.5)).toThrow(/threshold: "judge" takes none: .*: likelihood$/)
    expect(() => staged.engine.verifier('nobody', 0.5)).toThrow(/there is no "nobody"/)
    expect(staged.engine.verifier('likelihood', 0.5).name).toBe('likelihood')
  })
})
