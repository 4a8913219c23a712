import { describe, expect, test } from 'vitest'
import { ruleExactly } from './exact.ts'
import { judge, verifiers } from './index.ts'
import type { DraftedStep, TargetVersion, Verifier } from './index.ts'
import { ruleWithoutJudge } from './judge.ts'

const tokensOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!)

/** What the target has written of its step: all of it where it comes to the delimiter, or to the cap. */
function target(text: string, cap = 100): TargetVersion {
  const written = text.slice(0, cap)
  const end = written.endsWith('\n\n') ? 'delimiter' : written.length === cap ? 'cap' : undefined
  return { text: written, tokens: tokensOf(written), end }
}

const draft = (text: string, end: DraftedStep['end'] = 'delimiter'): DraftedStep => ({
  text,
  tokens: tokensOf(text),
  end,
  unlikely: false,
})

const rule = (drafted: string, targets: string) => ruleWithoutJudge({ draft: draft(drafted), target: target(targets) })

describe('what needs no judge', () => {
  test.each([
    ['the same tokens', 'So 12 apples.\n\n', 'So 12 apples.\n\n', { accepted: true, reason: 'exact' }],
    ['case and white space', 'so 12  Apples.\n\n', 'So 12 apples.\n\n', { accepted: true, reason: 'exact' }],
    ['another number', 'So 13 apples.\n\n', 'We get 12 apples.\n\n', { accepted: false, reason: 'numbers' }],
    ['a number more', 'So 12 of 40 apples.\n\n', 'We get 12 apples.\n\n', { accepted: false, reason: 'numbers' }],
    ['another name', 'Tiko has 12.\n\n', 'So 12 is what Mara has.\n\n', { accepted: false, reason: 'names' }],
    ['one name more', 'Like Tiko, Mara has 12.\n\n', 'Mara has 12.\n\n', { accepted: false, reason: 'names' }],
    ['one ends the thinking', '</think>\n\n', 'So that is it.\n\n', { accepted: false, reason: 'end' }],
    ['one takes it up again', 'Wait. <think>\n\n', 'So that is it.\n\n', { accepted: false, reason: 'end' }],
    ['one takes it up, one ends it', '<think>\n\n', '</think>\n\n', { accepted: false, reason: 'end' }],
  ])('%s', (_case, drafted, targets, ruling) => {
    expect(rule(drafted, targets)).toEqual(ruling)
  })

  test('a step that was cut is not judged, whichever of the two it is', () => {
    const cut = { accepted: false, reason: 'half_step' }
    expect(ruleWithoutJudge({ draft: draft('We get 12', 'cap'), target: target('So 12 apples.\n\n') })).toEqual(cut)
    expect(ruleWithoutJudge({ draft: draft('We get 12 apples.\n\n'), target: target('So 12 apples.\n\n', 2) })).toEqual(
      cut,
    )
  })

  test('the end of the text leaves the target its own words', () => {
    expect(ruleWithoutJudge({ draft: draft('It is 12.', 'text'), target: target('So 12.\n\n') })).toEqual({
      accepted: false,
      reason: 'end',
    })
  })
})

test('an unfinished step that names a number the draft does not is rejected at once, when the number is whole', () => {
  const drafted = 'In all that is 3×4=12.\n\n'
  expect(rule(drafted, 'The product 3×1')).toBeUndefined()
  expect(rule(drafted, 'The product 3×5')).toBeUndefined()
  expect(rule(drafted, 'The product 3×5=')).toEqual({ accepted: false, reason: 'numbers' })
})

test('other words with the same numbers and names are for the judge, wherever the names stand', () => {
  expect(rule('Mara has 12.\n\n', 'So 12 is what Mara has.\n\n')).toBeUndefined()
  expect(rule('So what I want: Mara has 12.\n\n', 'Okay, 12 for Mara.\n\n')).toBeUndefined()
})

test('other words with the same numbers are for the judge; an unfinished step waits', () => {
  expect(rule('In all that is 3×4=12.\n\n', 'The product, 3×4, is 12.\n\n')).toBeUndefined()
  expect(rule('In all that is 12.\n\n', 'The')).toBeUndefined()
})

test('the exact verifier rejects at the first other token, and accepts only the whole step', () => {
  expect(ruleExactly({ draft: draft('So 12 apples.\n\n'), target: target('We') })).toEqual({
    accepted: false,
    reason: 'exact',
  })
  expect(ruleExactly({ draft: draft('So 12 apples.\n\n'), target: target('So 1') })).toBeUndefined()
  expect(ruleExactly({ draft: draft('So 12 apples.\n\n'), target: target('So 12 apples.\n\n') })).toEqual({
    accepted: true,
    reason: 'exact',
  })
})

describe('a drafted step of which no judge is to be asked', () => {
  const drafted = 'So the white shells are 4×12=48.\n\n'
  const unlikely = { accepted: false, reason: 'unlikely' }
  const refused = (targets: string, draftEnd?: DraftedStep['end']) =>
    ruleWithoutJudge({ draft: draft(drafted, draftEnd), target: target(targets) }, 'unlikely')

  test('is rejected as soon as the target says something else', () => {
    expect(refused('So the ')).toBeUndefined()
    expect(refused('So the red')).toEqual(unlikely)
    expect(refused('We multiply 4×12=48.\n\n')).toEqual(unlikely)
  })

  test('is accepted where the target says the same', () => {
    expect(refused(drafted)).toEqual({ accepted: true, reason: 'exact' })
    expect(refused(drafted.toUpperCase())).toEqual({ accepted: true, reason: 'exact' })
  })

  test('is rejected for what is plainer where that can be seen', () => {
    expect(refused('So the red shells are 5×12=60.\n\n')).toEqual({ accepted: false, reason: 'numbers' })
    expect(refused('So that is it', 'cap')).toBeUndefined()
    expect(refused('So the red shells are 4×12=48.\n\n', 'cap')).toEqual({ accepted: false, reason: 'half_step' })
  })
})

describe('verifiers by name', () => {
  const options = { ask: async () => [true], leastLogprob: -4 }
  const pair = { draft: draft('In all that is 12.\n\n'), target: target('So it is 12.\n\n') }

  test('a judge is asked about other words, unless the target finds the drafted ones unlikely, or there is none', async () => {
    const { leastLogprob, rule: known, ask } = judge(options)
    expect(leastLogprob).toBe(-4)
    expect(known(pair)).toBeUndefined()
    expect(await ask!([pair], new AbortController().signal)).toEqual([{ accepted: true, reason: 'judge' }])
    const unlikely = { ...pair, draft: { ...pair.draft, unlikely: true } }
    expect(known(unlikely)).toEqual({ accepted: false, reason: 'unlikely' })
    const none = judge({ ...options, ask: undefined })
    expect(none.rule(pair)).toEqual({ accepted: false, reason: 'no_judge' })
    expect(none.ask).toBeUndefined()
  })

  test('one that is brought along takes the place of ours', () => {
    const mine: Verifier = { name: 'judge', rule: () => undefined }
    const known = verifiers(options, [mine])
    expect([...known.keys()].toSorted()).toEqual(['exact', 'judge', 'likelihood'])
    expect(known.get('judge')).toBe(mine)
  })
})
