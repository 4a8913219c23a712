import { describe, expect, test } from 'vitest'
import { ruleExactly } from './exact.ts'
import { chain, judge, likelihood, random, score, typicality, verifiers } from './index.ts'
import type { DraftVersion, Pair, TargetVersion, TokenDistribution, Verifier } from './index.ts'

const tokensOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!)

/** What the target has written of its step: all of it where it comes to the delimiter, or to the cap. */
function target(text: string, cap = 100): TargetVersion {
  const written = text.slice(0, cap)
  const end = written.endsWith('\n\n') ? 'delimiter' : written.length === cap ? 'cap' : undefined
  return { text: written, tokens: tokensOf(written), end }
}

const draft = (text: string, end: DraftVersion['end'] = 'delimiter'): DraftVersion => ({
  text,
  tokens: tokensOf(text),
  end,
  unlikely: false,
})

const signal = new AbortController().signal
const options = { ask: async () => [true], leastLogprob: -4 }
const { rule: ruleAtOnce } = judge(options)
const rule = (drafted: string, targets: string) => ruleAtOnce({ draft: draft(drafted), target: target(targets) })

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
    expect(ruleAtOnce({ draft: draft('We get 12', 'cap'), target: target('So 12 apples.\n\n') })).toEqual(cut)
    expect(ruleAtOnce({ draft: draft('We get 12 apples.\n\n'), target: target('So 12 apples.\n\n', 2) })).toEqual(cut)
  })

  test('the end of the text leaves the target its own words', () => {
    expect(ruleAtOnce({ draft: draft('It is 12.', 'text'), target: target('So 12.\n\n') })).toEqual({
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
  const refused = (targets: string, draftEnd?: DraftVersion['end']) =>
    ruleAtOnce({ draft: { ...draft(drafted, draftEnd), unlikely: true }, target: target(targets) })

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

describe('a judge', () => {
  test.each([
    [0.9, { accepted: true, reason: 'judge', probability: 0.9, target: 'Hence 12.\n\n' }],
    [0.5, { accepted: false, reason: 'judge', probability: 0.5 }],
  ])(
    'that says how probable it is (%d) is quoted, and what it took for the same is told',
    async (probability, ruling) => {
      const { ask } = judge({ ...options, ask: () => Promise.resolve([probability]) })
      const step = { end: 'delimiter', tokens: [] } as const
      const pair = {
        draft: { ...step, text: 'So 12.\n\n', unlikely: false },
        target: { ...step, text: 'Hence 12.\n\n' },
      }
      expect(await ask!([pair], new AbortController().signal)).toEqual([ruling])
    },
  )

  const pair = { draft: draft('In all that is 12.\n\n'), target: target('So it is 12.\n\n') }

  test('is asked about other words, unless the target finds the drafted ones unlikely, or there is none', async () => {
    const { leastLogprob, rule: known, ask } = judge(options)
    expect(leastLogprob).toBe(-4)
    expect(known(pair)).toBeUndefined()
    expect(await ask!([pair], signal)).toEqual([{ accepted: true, reason: 'judge', target: pair.target.text }])
    const unlikely = { ...pair, draft: { ...pair.draft, unlikely: true } }
    expect(known(unlikely)).toEqual({ accepted: false, reason: 'unlikely' })
    const none = judge({ ...options, ask: undefined })
    expect(none.rule(pair)).toEqual({ accepted: false, reason: 'no_judge' })
    expect(none.ask).toBeUndefined()
  })

  test('that could not be asked about one of several has failed there alone', async () => {
    const { ask } = judge({ ...options, ask: () => Promise.resolve([undefined, 0.25]) })
    expect(await ask!([pair, pair], signal)).toEqual([
      { accepted: false, reason: 'judge_failed' },
      { accepted: false, reason: 'judge', probability: 0.25 },
    ])
  })

  test('hears the steps and what stands before them', async () => {
    const heard: unknown[] = []
    const context = { question: 'How many?', before: 'First 5.\n\n' }
    const ask = async (pairs: readonly unknown[]) => (heard.push(...pairs), [false])
    const rulings = await judge({ ...options, ask }).ask!([{ ...pair, context }], signal)
    expect(heard).toEqual([{ target: pair.target.text, draft: pair.draft.text, context }])
    expect(rulings).toEqual([{ accepted: false, reason: 'judge' }])
  })

  test.each([
    ['numbers', 'So 2x apples.\n\n', 'So x+x apples.\n\n'],
    ['names', 'So Nils has 12.\n\n', 'Now he has 12.\n\n'],
  ] as const)('hears of steps that name other %s where the rule is left out', (left, drafted, targets) => {
    const known = { draft: draft(drafted), target: target(targets) }
    const others = (['numbers', 'names'] as const).filter((name) => name !== left)
    expect(judge(options).rule(known)).toEqual({ accepted: false, reason: left })
    expect(judge({ ...options, rules: others }).rule(known)).toBeUndefined()
    expect(judge({ ...options, rules: [left] }).rule(known)).toEqual({ accepted: false, reason: left })
  })
})

describe('a chain', () => {
  const pair = (drafted: string): Pair => ({ draft: draft(drafted), target: target('So 12.\n\n') })
  const ruled = (reason: string, drafted: string): Verifier => ({
    name: reason,
    rule: ({ draft: { text } }) => (text === drafted ? { accepted: true, reason } : undefined),
  })
  /** Rules on these drafts when it is asked, and keeps what it was asked about. */
  const asked = (reason: string, ...drafts: string[]) => {
    const heard: string[] = []
    const verifier: Verifier = {
      ...ruled(reason, ''),
      ask: async (pairs) => {
        heard.push(...pairs.map(({ draft: { text } }) => text))
        return pairs.map(({ draft: { text } }) => (drafts.includes(text) ? { accepted: true, reason } : undefined))
      },
    }
    return { verifier, heard }
  }

  test('rules as the first of its parts that rules', () => {
    const both = chain('both', ruled('one', 'a'), ruled('other', 'a'), ruled('other', 'b'))
    expect(both.name).toBe('both')
    expect(['a', 'b', 'c'].map((text) => both.rule(pair(text))?.reason)).toEqual(['one', 'other', undefined])
    expect(both.ask).toBeUndefined()
  })

  test('asks each about what those before it left open, and no one about nothing', async () => {
    const [first, second, third] = [asked('first', 'b'), asked('second', 'a', 'b', 'c'), asked('third')]
    const all = chain('all', first.verifier, ruled('rule', 'x'), second.verifier, third.verifier)
    const rulings = await all.ask!(['a', 'b', 'c'].map(pair), signal)
    expect(rulings.map((ruling) => ruling?.reason)).toEqual(['second', 'first', 'second'])
    expect([first.heard, second.heard, third.heard]).toEqual([['a', 'b', 'c'], ['a', 'c'], []])
    const open = await chain('open', first.verifier, third.verifier).ask!([pair('a')], signal)
    expect(open).toEqual([undefined])
  })

  test('is as strict as the strictest of its parts', () => {
    const least = (leastLogprob: number): Verifier => ({ ...ruled('', ''), leastLogprob })
    expect(chain('all', least(-6), ruled('', ''), least(-2)).leastLogprob).toBe(-2)
    expect(chain('all', ruled('', '')).leastLogprob).toBeUndefined()
    const keeps = (count: number): Verifier => ({ ...ruled('', ''), kept: () => count })
    expect(chain('all', keeps(3), ruled('', ''), keeps(2)).kept!([], () => ({ tokens: [], probabilities: [] }))).toBe(2)
    expect(chain('all', ruled('', '')).kept).toBeUndefined()
  })

  test('fails where a part fails', async () => {
    const failing: Verifier = { ...ruled('', ''), ask: () => Promise.reject(new Error('gone')) }
    await expect(chain('all', asked('a').verifier, failing).ask!([pair('a')], signal)).rejects.toThrow('gone')
  })
})

describe('what the target might well say', () => {
  const of = (...probabilities: number[]): TokenDistribution => ({ tokens: [...probabilities.keys()], probabilities })

  test('is as typical as it is likely against what is drawn on average', () => {
    expect(typicality(0, of(1))).toBe(1)
    expect(typicality(1, of(1))).toBe(0)
    // Of equals each is as typical as can be, however many they are.
    for (const count of [2, 5, 40])
      expect(typicality(1, of(...Array<number>(count).fill(1 / count)))).toBeCloseTo(1, 12)
    // Two ways: p · p^-p · (1 − p)^-(1 − p).
    expect(typicality(1, of(0.9, 0.1))).toBeCloseTo(0.1 * 0.1 ** -0.1 * 0.9 ** -0.9, 12)
    expect(typicality(2, of(0.5, 0.25, 0.25))).toBeCloseTo(0.25 * 2 ** 1.5, 12)
    expect(typicality(7, of(0.5, 0.5))).toBe(0)
    expect(typicality(1, of(1, 0))).toBe(0)
  })

  test('stands up to the first token that is less typical than the threshold', () => {
    // A sixth of two ways is at 0.26, a seventh at 0.21; a sixth of six ways at 1.
    const places = [of(5 / 6, 1 / 6), of(...Array<number>(6).fill(1 / 6)), of(6 / 7, 1 / 7), of(1)]
    const kept = (tokens: number[], verifier = likelihood()) => verifier.kept!(tokens, (i) => places[i]!)
    expect([kept([1, 5, 0, 0]), kept([1, 5, 1, 0]), kept([1, 5, 0, 1]), kept([2, 5])]).toEqual([4, 2, 3, 0])
    expect(kept([1, 5, 1, 0], likelihood().withThreshold!(0.2))).toBe(4)
    expect(kept([1, 5, 0, 0], likelihood({ threshold: 0.3 }))).toBe(0)
    expect(kept([0, 5, 0, 0], likelihood({ threshold: 0.99 }))).toBe(4)
  })

  test('is all that is accepted, whatever the target writes', () => {
    const ruled = (unlikely: boolean) => likelihood().rule({ draft: { ...draft('a'), unlikely }, target: target('b') })
    expect([ruled(false), ruled(true)]).toEqual([
      { accepted: true, reason: 'likely' },
      { accepted: false, reason: 'unlikely' },
    ])
  })
})

describe('a score', () => {
  const pair = { draft: draft('It is 13.\n\n'), target: target('So it is 12.\n\n') }

  test('of the threshold or more accepts, whatever the target says', async () => {
    const rulings = async (threshold?: number) =>
      (await score({ ask: async () => [7, 6, 9], threshold }).ask!([pair, pair, pair], signal)).map((ruling) => ruling!)
    expect(await rulings()).toEqual([7, 6, 9].map((n) => ({ accepted: n >= 7, reason: 'score' })))
    expect((await rulings(8)).map(({ accepted }) => accepted)).toEqual([false, false, true])
  })

  test('is not asked for where the two are the same, or one was cut', () => {
    const { rule: known } = score({ ask: async () => [] })
    expect(known({ ...pair, draft: draft('so it is 12.\n\n') })).toEqual({ accepted: true, reason: 'exact' })
    expect(known({ ...pair, draft: draft('It is', 'cap') })).toEqual({ accepted: false, reason: 'half_step' })
    expect(known(pair)).toBeUndefined()
  })
})

describe('the coin', () => {
  const steps = Array.from({ length: 2000 }, (_, i) => draft(`So ${i} apples.\n\n`))
  const whole = target('Then.\n\n')
  const verdicts = (coin: Verifier) => steps.map((step) => coin.rule({ draft: step, target: whole })!.accepted)
  const rate = (coin: Verifier) => verdicts(coin).filter(Boolean).length / steps.length

  test('accepts as many as it is to, and the same ones again', () => {
    expect(rate(random())).toBeCloseTo(0.5, 1)
    expect(rate(random({ probability: 0.2 }))).toBeCloseTo(0.2, 1)
    expect(rate(random({ probability: 0 }))).toBe(0)
    expect(rate(random({ probability: 1 }))).toBe(1)
    expect(verdicts(random())).toEqual(verdicts(random()))
    const other = verdicts(random({ seed: 1 }))
    const agreed = verdicts(random()).filter((verdict, i) => verdict === other[i]).length / steps.length
    expect(agreed).toBeCloseTo(0.5, 1)
  })

  test('is thrown for half steps too, where they are to be verified; but not where there was no room for the other half', () => {
    const always = random({ probability: 1 })
    const halves = [draft('So', 'cap'), draft('So', 'cap'), draft('So.\n\n')]
    const targets = [whole, { text: 'Th', tokens: [1], end: 'cap' }, { text: 'Th', tokens: [1], end: 'cap' }] as const
    for (const [i, half] of halves.entries()) {
      expect(always.rule({ draft: half, target: targets[i]! })?.reason).toBe('half_step')
      expect(always.rule({ draft: half, target: targets[i]!, halfSteps: 'reject' })?.reason).toBe('half_step')
      expect(always.rule({ draft: half, target: targets[i]!, halfSteps: 'verify' })).toEqual({
        accepted: true,
        reason: 'random',
      })
    }
    const full = { text: 'Th', tokens: [1], end: 'length' } as const
    expect(always.rule({ draft: halves[0]!, target: full, halfSteps: 'verify' })?.reason).toBe('half_step')
  })

  test('is thrown for whole steps only', () => {
    const always = random({ probability: 1 })
    expect(always.rule({ draft: steps[0]!, target: target('The') })).toBeUndefined()
    expect(always.rule({ draft: draft('So', 'cap'), target: whole })?.reason).toBe('half_step')
    expect(always.rule({ draft: draft('</think>\n\n'), target: whole })?.reason).toBe('end')
  })
})

describe('verifiers by name', () => {
  const pair = { draft: draft('It is 13.\n\n'), target: target('So it is 12.\n\n') }

  test('one that is brought along takes the place of ours', () => {
    const mine: Verifier = { name: 'judge', rule: () => undefined }
    const known = verifiers({ ...options, score: async () => [] }, [mine])
    expect([...known.keys()].toSorted()).toEqual(['exact', 'judge', 'judge-only', 'likelihood', 'random', 'score'])
    expect(known.get('judge')).toBe(mine)
  })

  test('the rules are the operator’s choice for `judge`, and never those of `judge-only`', () => {
    expect(verifiers(options).get('judge')!.rule(pair)).toEqual({ accepted: false, reason: 'numbers' })
    expect(
      verifiers({ ...options, rules: ['names'] })
        .get('judge')!
        .rule(pair),
    ).toBeUndefined()
    const only = verifiers(options).get('judge-only')!
    expect(only.rule(pair)).toBeUndefined()
    expect(only.leastLogprob).toBe(-4)
  })
})
