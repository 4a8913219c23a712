/** Several steps drafted for one place: what is ruled on, what is kept, and what it may not cost. */
import { describe, expect, test } from 'vitest'
import { asDrafted, draftSteps, follow, unaided, verify, parseDraft } from '../../test/calls.ts'
import type { VerifyOptions } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import { anyOf, weighed } from '../../test/staged.ts'
import type { Staged } from '../../test/staged.ts'
import { draft } from './decode/draft.ts'
import type { StepDrafted, VerifyEvent } from './events.ts'

const prompt = 'How many apples has Ann in the end, if she eats some?\n'
const context = { id: 'run', prompt }
const staged = stageEngine()
/** A pool that has room for little. */
const tight = stageEngine({ slots: 140 })
const targetWrites = (...texts: string[][]): Staged => staged.writes('target', prompt, ...texts)
const tokensOf = (...pieces: string[]): number[] => pieces.flatMap((piece) => staged.tokenizer.encode(piece))
const greedy = { temperature: 0 }

/** Each place's steps: the first, then the others. */
const steps = (...places: string[][]) =>
  places.map(([text, ...others]) => ({ text: text!, alternatives: others.map((other) => ({ text: other })) }))

const rule = (places: string[][], options: Partial<VerifyOptions> = {}) =>
  verify(staged.engine, context, {
    steps: steps(...places),
    max_tokens: 100,
    sampling: greedy,
    speculation: unaided,
    verifier: 'exact',
    ...options,
  })

describe('an alternative that is accepted', () => {
  test.each([
    ['read by the target as guesses', asDrafted],
    ['not read by it', unaided],
  ])(
    'is committed, the verdicts say which it was, and nothing that hung on the first is: %s',
    async (_, speculation) => {
      const target = targetWrites(['A.\n\n', 'We have 4.\n\n', 'C.\n\n'])
      const { verdicts, commit, said } = await rule(
        [['A.\n\n'], ['We have 3.\n\n', 'B.\n\n', 'We have 4.\n\n'], ['X.\n\n']],
        {
          speculation,
        },
      )
      expect(verdicts).toEqual([
        { index: 0, accepted: true, reason: 'exact' },
        { index: 1, accepted: false, reason: 'exact' },
        { index: 1, alternative: 1, accepted: false, reason: 'exact' },
        { index: 1, alternative: 2, accepted: true, reason: 'exact' },
      ])
      expect(commit).toMatchObject({ accepted: 2, text: 'A.\n\nWe have 4.\n\n', correction: '', finish: undefined })
      expect(commit.tokens).toEqual(tokensOf('A.\n\n', 'We have 4.\n\n'))
      expect(said).toBe(commit.text)
      // The next call finds all of it where it stands, but for its last token.
      const before = target.forwards.length
      const next = await verify(
        staged.engine,
        { id: 'run', length: commit.tokens.length },
        { max_tokens: 9, sampling: greedy, speculation: unaided },
      )
      expect(next.commit.text).toBe('C.\n\n')
      if (speculation.drafted) expect(target.forwards[before]![0]!.tokens).toHaveLength(1)
    },
  )

  test('is what the target itself writes: as a guess it costs no forward of its own', async () => {
    const target = targetWrites(['We have 4 more apples than before.\n\n'])
    const drafted = [['We have 3 more.\n\n', 'We have 4 less.\n\n', 'We have 4 more apples than before.\n\n']]
    const { commit } = await rule(drafted, { speculation: asDrafted })
    expect(commit).toMatchObject({ accepted: 1, text: 'We have 4 more apples than before.\n\n' })
    expect(target.forwards).toHaveLength(1)
  })

  test('ends the text where it ends it', async () => {
    targetWrites(['So 4.'])
    staged.writes('draft', prompt, ['So 4.'])
    const [end] = await draftSteps(staged.engine, context, 1, { sampling: greedy })
    const { commit } = await verify(
      staged.engine,
      { id: 'run', length: 0 },
      {
        steps: [{ text: 'So 3.\n\n', alternatives: [{ id: end!.id, text: end!.text }] }],
        max_tokens: 100,
        sampling: greedy,
        verifier: 'exact',
      },
    )
    expect(commit).toMatchObject({ accepted: 1, text: 'So 4.', correction: '', finish: 'stop' })
  })
})

test('where the first is accepted nobody rules on the others, and the steps after it go on', async () => {
  targetWrites(['A.\n\n', 'B.\n\n', 'C.\n\n'])
  for (const speculation of [asDrafted, unaided]) {
    const { verdicts, commit } = await rule(
      [
        ['A.\n\n', 'X.\n\n'],
        ['B.\n\n', 'Y.\n\n'],
      ],
      { speculation },
    )
    expect(verdicts.map(({ index, alternative }) => [index, alternative])).toEqual([
      [0, undefined],
      [1, undefined],
    ])
    expect(commit).toMatchObject({ accepted: 2, text: 'A.\n\nB.\n\nC.\n\n', correction: 'C.\n\n' })
    staged.engine.contexts.drop('run')
  }
})

test('where all are rejected the target’s own step stands', async () => {
  targetWrites(['We have 4.\n\n'])
  for (const speculation of [asDrafted, unaided]) {
    const { verdicts, commit } = await rule([['We have 3.\n\n', 'We have 4 or 5.\n\n', 'We.\n\n']], { speculation })
    expect(verdicts.map(({ alternative, accepted }) => [alternative, accepted])).toEqual([
      [undefined, false],
      [1, false],
      [2, false],
    ])
    expect(commit).toMatchObject({ accepted: 0, text: 'We have 4.\n\n', correction: 'We have 4.\n\n' })
    staged.engine.contexts.drop('run')
  }
})

test('one that says the same as another is ruled on once', async () => {
  targetWrites(['We have 4.\n\n'])
  const { verdicts } = await rule([['We.\n\n', 'We.\n\n', 'I.\n\n', 'I.\n\n', 'We have 4.\n\n']])
  expect(verdicts.map(({ alternative }) => alternative)).toEqual([undefined, 2, 4])
})

describe('whoever is asked', () => {
  test('is asked about all of them in one forward, and the first that is accepted is kept', async () => {
    targetWrites(['I a.\n\n'])
    const heard: string[] = []
    const judge = staged.judges((_, step) => {
      heard.push(step)
      return step === 'We a.' ? -1 : 1
    })
    const { verdicts, commit, said } = await rule([['We a.\n\n', 'We b.\n\n', 'We c.\n\n']], { verifier: 'judge' })
    expect(heard).toEqual(['We a.', 'We b.', 'We c.'])
    expect(judge.forwards.map((rows) => rows.length)).toEqual([3])
    expect(verdicts).toEqual([
      { index: 0, accepted: false, reason: 'judge' },
      { index: 0, alternative: 1, accepted: true, reason: 'judge' },
    ])
    expect(commit).toMatchObject({ accepted: 1, text: 'We b.\n\n', correction: '' })
    expect(said).toBe('We b.\n\n')
  })

  test('is not asked about others where rules accept an earlier one, and nothing is said before all is certain', async () => {
    targetWrites(['We a lot.\n\n'])
    const heard: string[] = []
    staged.judges((_, step) => heard.push(step) && -1)
    const drafted = [['We a bit.\n\n', 'we A lot.\n\n', 'We a little.\n\n']]
    const { verdicts, commit, events } = await rule(drafted, { verifier: 'judge', speculation: asDrafted })
    expect(heard).toEqual(['We a bit.'])
    expect(verdicts.map(({ accepted, reason }) => [accepted, reason])).toEqual([
      [false, 'judge'],
      [true, 'exact'],
    ])
    expect(commit.text).toBe('we A lot.\n\n')
    const said = events.flatMap((event) => (event.type === 'delta' ? [event.text] : [])).join('')
    expect(commit.text.startsWith(said)).toBe(true)
  })

  test('is heard about the first, though another is the target’s own', async () => {
    targetWrites(['We a lot.\n\n'])
    staged.judges(() => 1)
    const drafted = [['We a bit.\n\n', 'We a lot.\n\n'], ['X.\n\n']]
    const { verdicts, commit } = await rule(drafted, { verifier: 'judge', speculation: asDrafted })
    expect(verdicts[0]).toEqual({ index: 0, accepted: true, reason: 'judge' })
    expect(commit.text).toMatch(/^We a bit/)
  })

  test('likelihood rules by what the target thinks of each, in order, and the target writes nothing', async () => {
    const target = targetWrites(['I a.\n\n', 'I b.\n\n'])
    const drafted = [['I a.\n\n'], ['I c.\n\n', 'We b.\n\n', 'I b.\n\n']]
    const { verdicts, commit } = await rule(drafted, { verifier: 'likelihood' })
    expect(verdicts).toEqual([
      { index: 0, accepted: true, reason: 'likely' },
      { index: 1, accepted: false, reason: 'unlikely' },
      { index: 1, alternative: 1, accepted: false, reason: 'unlikely' },
      { index: 1, alternative: 2, accepted: true, reason: 'likely' },
    ])
    expect(commit).toMatchObject({ accepted: 2, text: 'I a.\n\nI b.\n\n' })
    expect(target.forwards).toHaveLength(1)
  })
})

describe('where there is no room', () => {
  const long = (letter: string): string => `We ${letter} 1 2 3 4 5 6 7 8 9.\n\n`

  test('in the text, alternatives are cut, and still guesses', async () => {
    const target = targetWrites([long('a')])
    const room = tokensOf(long('a')).length - 1
    const { commit, verdicts } = await rule([['I.\n\n', long('a')]], { max_tokens: room, speculation: asDrafted })
    expect(commit).toMatchObject({ tokens: tokensOf(long('a')).slice(0, room), finish: 'length', accepted: 0 })
    expect(verdicts).toEqual([{ index: 0, accepted: false, reason: 'exact' }])
    expect(target.forwards.length).toBeLessThanOrEqual(2)
  })

  test('in the pool, alternatives are left out, and nothing fails', async () => {
    tight.writes('target', prompt, [long('z')])
    const others = Array.from('abcdefg', (letter) => ({ text: long(letter) }))
    const options = {
      steps: [{ text: 'I.\n\n', alternatives: others }],
      step_rules: { max_tokens: 30 },
      sampling: greedy,
    }
    for (const speculation of [asDrafted, unaided]) {
      const request = { ...options, speculation, verifier: 'exact', max_tokens: 100 } as const
      const { commit, verdicts } = await verify(tight.engine, context, request)
      expect(commit.text).toBe(long('z'))
      expect(verdicts.length).toBeLessThan(8)
      tight.engine.contexts.drop('run')
    }
    tight.says('draft', () => anyOf(tokensOf('0123456789')))
    const told = await draftSteps(tight.engine, context, 9, {
      width: 8,
      sampling: { temperature: 1 },
      step_rules: { max_tokens: 20 },
    })
    const places = Array.from({ length: 9 }, (_, i) => told.filter(({ index }) => index === i).length)
    expect(places[0]).toBeGreaterThan(1)
    expect(places).toEqual(places.toSorted((x, y) => y - x))
    expect(places.at(-1)).toBe(0)
  })
})

describe('the draft', () => {
  const digits = () => anyOf(tokensOf('0123456789'))
  const drafts = (depth: number, width: number, sampling: object) =>
    draftSteps(staged.engine, context, depth, { width, sampling, step_rules: { max_tokens: 6 } })
  const textsOf = (told: readonly StepDrafted[], alternative?: number): string[] =>
    told.filter((step) => step.alternative === alternative).map(({ text }) => text)

  test('draws alternatives independently of the first, which is what it is without them', async () => {
    staged.says('draft', digits)
    const sampling = { temperature: 1, top_k: 0, top_p: 1, seed: 3 }
    const one = await drafts(3, 1, sampling)
    const four = await drafts(3, 4, sampling)
    expect(textsOf(four)).toEqual(textsOf(one))
    expect(four.map(({ index, alternative = 0 }) => `${index}.${alternative}`)).toEqual(
      [0, 1, 2].flatMap((index) => [0, 1, 2, 3].map((alternative) => `${index}.${alternative}`)),
    )
    expect(new Set(four.map(({ text }) => text)).size).toBe(12)
    // All of them alike in one place is one in a million.
    expect((await drafts(3, 4, sampling)).map(({ text }) => text)).toEqual(four.map(({ text }) => text))
  })

  test('writes them in the forwards that it needs for the first', async () => {
    const model = staged.says('draft', digits)
    await drafts(3, 1, { temperature: 1, seed: 3 })
    const alone = model.forwards.length
    await drafts(3, 4, { temperature: 1, seed: 3 })
    expect(model.forwards.length - alone).toBe(alone)
  })

  test('at temperature 0 says what is likeliest first, then something else, every time the same', async () => {
    const [a, b] = tokensOf('a', 'b') as [number, number]
    staged.says('draft', () =>
      weighed(
        new Map([
          [a, 0.6],
          [b, 0.4],
        ]),
      ),
    )
    const told = await drafts(2, 3, greedy)
    expect(textsOf(told)).toEqual(['aaaaaa', 'aaaaaa'])
    expect(told.filter(({ text }) => text.includes('b')).length).toBeGreaterThan(2)
    expect((await drafts(2, 3, greedy)).map(({ text }) => text)).toEqual(told.map(({ text }) => text))
  })

  test('drops those that come out the same', async () => {
    staged.writes('draft', prompt, ['A.\n\n', 'B.\n\n'])
    expect(textsOf(await drafts(2, 4, { temperature: 1 }))).toEqual(['A.\n\n', 'B.\n\n'])
  })

  test('holds no slots of alternatives once their step is there', async () => {
    staged.says('draft', digits)
    const sampling = { temperature: 1, top_k: 0, top_p: 1, seed: 3 }
    const request = parseDraft({ context, depth: 3, width: 4, sampling, step_rules: { max_tokens: 6 } })
    const { pool } = staged.engine.draft!.kv
    const chain = tokensOf(prompt).length
    const opened = await staged.engine.context(context)
    for await (const event of draft(staged.engine, opened, request, new AbortController().signal))
      if (event.type === 'step') expect(pool.size - pool.free).toBeLessThanOrEqual(chain + 6 * (event.index + 1))
  })

  test('waits for those that are longer than the first, and goes on from the first', async () => {
    const [a, b, dot] = tokensOf('a', 'b', '.') as [number, number, number]
    const start = tokensOf(prompt).length
    // A step is `a.`, or as many `b` as it may have.
    staged.says('draft', (text) =>
      text.length === start || text.at(-1) === dot ? anyOf([a, b]) : text.at(-1) === a ? dot : b,
    )
    const options = { width: 4, step_rules: { delimiters: ['.'], max_tokens: 9 } }
    let both = 0
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const told = await draftSteps(staged.engine, context, 2, { ...options, sampling: { temperature: 1, seed } })
      for (const { text } of told) expect(['a.', 'bbbbbbbbb']).toContain(text)
      if (told.filter(({ index }) => index === 0).length === 2) both++
      const [first, second] = textsOf(told)
      if (first !== 'a.') expect(second).toBe(first)
    }
    expect(both).toBeGreaterThan(2)
  })
})

test('without a seed the text is distributed as without drafts, whatever the alternatives say', async () => {
  const [x, y, z] = tokensOf('x', 'y', 'z') as [number, number, number]
  const start = tokensOf(prompt).length
  const p = new Map([
    [x, 0.5],
    [y, 0.3],
    [z, 0.2],
  ])
  const after = new Map([
    [x, 0.1],
    [y, 0.2],
    [z, 0.7],
  ])
  staged.says('target', (text) => weighed(text.length === start ? p : after))
  staged.says('draft', () =>
    weighed(
      new Map([
        [x, 0.2],
        [y, 0.2],
        [z, 0.6],
      ]),
    ),
  )
  const common = { sampling: { temperature: 1, top_k: 0, top_p: 1 }, step_rules: { max_tokens: 3 } }
  const texts = 600
  // In the second round the text has no room for whole steps.
  for (const most of [9, 2]) {
    const counts = new Map<string, number>()
    let others = 0
    for (let n = 0; n < texts; n++) {
      const told = await draftSteps(staged.engine, context, 1, { ...common, width: 4 })
      const [first, ...alternatives] = told.map(({ id, text }) => ({ id, text }))
      const { commit, verdicts } = await verify(
        staged.engine,
        { id: 'run', length: 0 },
        {
          ...common,
          steps: [{ ...first!, alternatives }],
          verifier: 'exact',
          speculation: asDrafted,
          max_tokens: most,
        },
      )
      const words = commit.text.slice(0, 2)
      counts.set(words, (counts.get(words) ?? 0) + 1)
      if (verdicts.some(({ accepted, alternative }) => accepted && alternative)) others++
      staged.engine.contexts.drop('run')
    }
    for (const [i, first] of ['x', 'y', 'z'].entries())
      for (const [j, second] of ['x', 'y', 'z'].entries()) {
        const share = [...p.values()][i]! * [...after.values()][j]!
        const far = ((counts.get(first + second) ?? 0) - texts * share) / Math.sqrt(texts * share * (1 - share))
        expect(Math.abs(far), `${first}${second} with ${most} tokens`).toBeLessThan(4)
      }
    if (most === 9) expect(others).toBeGreaterThan(texts / 20)
  }
})

const acceptedBy = (events: readonly VerifyEvent[]) =>
  events.flatMap((event) => (event.type === 'verdict' && event.accepted ? [event.alternative ?? 0] : []))

test('in cycles that follow one another, one that is accepted is committed, and drafting goes on from it', async () => {
  const [a, b, dot] = tokensOf('a', 'b', '.') as [number, number, number]
  // Steps are `a.` or `b.`; the target’s alternate, and the draft’s first is `a.` every time.
  const start = tokensOf(prompt).length
  const ends = (length: number): boolean => length >= start + 16
  staged.says('target', (text) =>
    ends(text.length)
      ? staged.end
      : text.at(-1) === a || text.at(-1) === b
        ? dot
        : (text.length - start) % 4 === 0
          ? a
          : b,
  )
  staged.says('draft', (text) =>
    ends(text.length)
      ? staged.end
      : text.at(-1) === a || text.at(-1) === b
        ? dot
        : weighed(
            new Map([
              [a, 0.6],
              [b, 0.4],
            ]),
          ),
  )
  for (const overlap of [false, true]) {
    const events = await follow(
      staged.engine,
      { prompt },
      {
        depth: 3,
        width: 4,
        overlap,
        step_rules: { delimiters: ['.'] },
        verifier: 'exact',
        sampling: greedy,
        max_tokens: 100,
        speculation: asDrafted,
      },
    )
    const text = events.flatMap((event) => (event.type === 'commit' ? [event.text] : [])).join('')
    expect(text).toBe('a.b.'.repeat(4))
    expect(acceptedBy(events).filter((number) => number > 0).length).toBeGreaterThan(0)
    const told = new Set<string>()
    for (const event of events) {
      if (event.type === 'cycle') told.clear()
      if (event.type === 'step') told.add(`${event.index}.${event.alternative ?? 0}`)
      if (event.type === 'verdict') expect(told).toContain(`${event.index}.${event.alternative ?? 0}`)
    }
  }
})
