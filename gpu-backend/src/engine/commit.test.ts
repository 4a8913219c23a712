/** What a call commits, says and ends with, where the models write what the test says. */
import { describe, expect, test } from 'vitest'
import { asDrafted, draftSteps, forget, unaided, verify, write } from '../../test/calls.ts'
import type { GenerateOptions, VerifyOptions } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import type { Staged } from '../../test/staged.ts'

const prompt = 'How many apples has Ann in the end, if she eats some?\n'
const context = { id: 'run', prompt }
const staged = stageEngine()
const targetWrites = (...texts: string[][]): Staged => staged.writes('target', prompt, ...texts)
const tokensOf = (...pieces: string[]): number[] => pieces.flatMap((piece) => staged.tokenizer.encode(piece))

const rule = (drafts: string[], options: Partial<VerifyOptions> = {}, on: Parameters<typeof verify>[1] = context) =>
  verify(staged.engine, on, {
    steps: drafts.map((text) => ({ text })),
    max_tokens: 100,
    sampling: { temperature: 0 },
    speculation: unaided,
    ...options,
  })
const decode = (options: Partial<VerifyOptions> = {}) => rule([], { decode: 'end', ...options })
const generate = (options: GenerateOptions = {}) => write(staged.engine, tokensOf(prompt), options)

describe('the tokens that are committed', () => {
  test('are those whose keys stand in the slots that the next call reads, wherever the two versions part', async () => {
    const mine = 'We have 3 more apples than before, so far.\n\n'
    const steps = tokensOf(mine).map((_, parted) => staged.tokenizer.decode(tokensOf(mine).slice(0, parted)))
    for (const [parted, same] of steps.entries()) {
      const id = `parted after ${parted}`
      const theirs = `${same} no!\n\n`
      const target = targetWrites(['A.\n\n', mine, 'C.\n\n', 'D.\n\n'])
      const options = { speculation: asDrafted, verifier: 'exact' } as const
      const { commit } = await rule(['A.\n\n', theirs, 'X.\n\n'], options, { id, prompt })
      expect(commit.text).toBe(`A.\n\n${mine}`)
      const before = target.forwards.length
      const next = await rule([], options, { id, length: commit.tokens.length })
      expect(next.commit.text).toBe('C.\n\n')
      // All that was committed stands there already, but for its last token.
      expect(target.forwards.slice(before).map(([row]) => row!.tokens.length)).toEqual(next.commit.tokens.map(() => 1))
      expect(target.faults).toEqual([])
    }
  })

  test('and no others may be found by texts that begin alike', async () => {
    const mine = 'We have 3 more apples than before, so far.\n\n'
    targetWrites(['A.\n\n', mine, 'C.\n\n'])
    const { commit } = await rule(['A.\n\n', 'We have 3 less.\n\n'], { speculation: asDrafted, verifier: 'exact' })
    const tokens = [...tokensOf(prompt), ...commit.tokens]
    const shared = tokensOf(prompt).length
    // Texts that leave some tokens out are other texts.
    for (let from = shared; from < tokens.length; from++)
      for (let without = 1; without <= 8; without++)
        await write(staged.engine, tokens.toSpliced(from, without), { maxTokens: 1 })
  })

  test('a step for which there is no room is still a guess', async () => {
    const step = 'We have 3 more apples than before.\n\n'
    const target = targetWrites([step])
    const { commit } = await rule([step], { max_tokens: tokensOf(step).length - 2, speculation: asDrafted })
    expect(commit.tokens).toEqual(tokensOf(step).slice(0, -2))
    // The last of them is nobody's guess.
    expect(target.forwards.length).toBeLessThanOrEqual(2)
  })

  test('are no more than max_tokens, wherever that cuts; steps count only if they are whole', async () => {
    const steps = ['We have 3.\n\n', 'We eat 2 of them.\n\n', 'So 1 is left.\n\n']
    const all = tokensOf(...steps)
    for (const speculation of [unaided, asDrafted])
      for (let most = 1; most <= all.length; most++) {
        targetWrites(steps)
        const { commit, verdicts, said } = await rule(steps, { max_tokens: most, speculation })
        expect(commit.tokens).toEqual(all.slice(0, most))
        expect([commit.text, said]).toEqual(
          Array.from({ length: 2 }, () => staged.tokenizer.decode(all.slice(0, most))),
        )
        expect(commit.finish).toBe('length')
        // The target agrees to all: none is rejected for being cut.
        expect(verdicts).toHaveLength(commit.accepted)
        expect(steps.slice(0, commit.accepted).join('') + commit.correction).toBe(commit.text)
        staged.engine.contexts.drop('run')
      }
  })

  test('are the drafted ones where the judge accepts, and nothing else was said before', async () => {
    targetWrites(['I a bit longer.\n\n'], ['We a.\n\n', 'I b.\n\n'])
    staged.judges(() => 1)
    const { commit, said } = await rule(['We a.\n\n'])
    expect(commit).toMatchObject({
      accepted: 1,
      text: 'We a.\n\nI b.\n\n',
      correction: 'I b.\n\n',
      finish: undefined,
    })
    expect(commit.tokens).toEqual(tokensOf('We a.\n\n', 'I b.\n\n'))
    expect(said).toBe(commit.text)
  })

  test('make drafted steps void', async () => {
    staged.writes('draft', prompt, ['So 3.\n\n', 'So 4.\n\n'])
    targetWrites(['So 3.\n\n', 'So 4.\n\n', 'So 5.\n\n', 'So 6.\n\n'])
    const [step] = await draftSteps(staged.engine, context, 1, { sampling: { temperature: 0 } })
    const { commit } = await rule([], { steps: [{ id: step!.id, text: step!.text }] }, { id: 'run', length: 0 })
    expect(commit).toMatchObject({ accepted: 1, text: 'So 3.\n\nSo 4.\n\n' })
    // The id no longer says anything, the text does.
    const next = { id: 'run', length: commit.tokens.length }
    const again = await rule([], { steps: [{ id: step!.id, text: 'So 5.\n\n' }], verifier: 'exact' }, next)
    expect(again.commit).toMatchObject({ accepted: 1, text: 'So 5.\n\nSo 6.\n\n' })
  })
})

describe('a step', () => {
  test.each([
    ['two tokens', 'ab', ['x', 'y', 'a', 'b', 'c']],
    ['three tokens', 'abc', ['x', 'a', 'b', 'c', 'c']],
    ['part of a token', '.', ['x', '.\n\n', 'y']],
  ])('ends with a delimiter spread over %s', async (_, delimiter, pieces) => {
    const text = pieces.join('')
    const step = /^[^]*?(ab?c?|\.\n\n)/.exec(text)![0].slice(0, delimiter === 'ab' ? 4 : undefined)
    const script = [pieces.map((piece) => piece)]
    const step_rules = { delimiters: [delimiter] }
    staged.writes('draft', prompt, ...script)
    const [drafted] = await draftSteps(staged.engine, context, 1, { step_rules, sampling: { temperature: 0 } })
    expect(drafted).toMatchObject({ text: step, end: 'delimiter' })
    targetWrites(...script)
    expect((await rule([], { step_rules })).commit).toMatchObject({ text: step, finish: undefined })
  })

  test('has no more tokens than the step cap', async () => {
    staged.writes('draft', prompt, ['We have 3 apples.\n\n', 'B.\n\n'])
    const steps = await draftSteps(staged.engine, context, 2, {
      step_rules: { max_tokens: 4 },
      sampling: { temperature: 0 },
    })
    expect(steps.map(({ tokens, end }) => [tokens, end])).toEqual([
      [4, 'cap'],
      [4, 'cap'],
    ])
    targetWrites(['We have 3 apples.\n\n', 'B.\n\n'])
    expect((await rule([], { step_rules: { max_tokens: 4 } })).commit.tokens).toHaveLength(4)
  })

  test('ends with the text, and nothing is drafted after it', async () => {
    staged.writes('draft', prompt, ['A.\n\n', 'B'])
    const steps = await draftSteps(staged.engine, context, 5, { sampling: { temperature: 0 } })
    expect(steps.map(({ text, end }) => [text, end])).toEqual([
      ['A.\n\n', 'delimiter'],
      ['B', 'text'],
    ])
    targetWrites(['A.\n\n', 'B'])
    const request = { steps: steps.map(({ id, text }) => ({ id, text })) }
    const { commit } = await rule([], request, { id: 'run', length: 0 })
    expect(commit).toMatchObject({ accepted: 2, text: 'A.\n\nB', correction: '', finish: 'stop' })
    expect(commit.tokens).toEqual([...tokensOf('A.\n\n', 'B'), staged.end])
  })

  test.each<[number | 'end', string]>([
    [1, 'A.\n\n'],
    [2, 'A.\n\nB.\n\n'],
    ['end', 'A.\n\nB.\n\nC.\n\n'],
  ])('is one of as many as the target is to write: %s', async (steps, text) => {
    targetWrites(['A.\n\n', 'B.\n\n', 'C.\n\n'])
    expect((await rule([], { decode: steps })).commit).toMatchObject({ text, correction: text })
  })
})

describe('stop strings', () => {
  test('in a step that nobody has ruled on yet end the text there, and nothing after it counts', async () => {
    const drafts = ['A.\n\n', 'We say END in this case.\n\n', 'C.\n\n']
    targetWrites([drafts[0]!, 'We say END, and then some more.\n\n', drafts[2]!])
    const { commit, said, verdicts } = await rule(drafts, { stop: ['END'], verifier: 'judge', speculation: asDrafted })
    expect(verdicts).toMatchObject([{ accepted: true }])
    expect(commit).toMatchObject({ accepted: 1, text: 'A.\n\nWe say ', correction: 'We say ', finish: 'stop' })
    expect(said).toBe(commit.text)
  })

  test('what might have become one is text after all, when the text ends', async () => {
    const text = 'It is so!!E'
    for (const finish of ['stop', 'length'] as const) {
      const most = finish === 'stop' ? 100 : tokensOf(text).length
      targetWrites(finish === 'stop' ? [text] : [text, 'lse'])
      const { commit, said } = await decode({ stop: ['!!END'], max_tokens: most })
      expect([commit.text, said, commit.finish]).toEqual([text, text, finish])
      const written = await generate({ stop: ['!!END'], maxTokens: most })
      expect([written.text, written.reason, written.stop]).toEqual([text, finish, null])
    }
  })

  test('what could become one is held back until it is clear, token for token', async () => {
    targetWrites(['It is !!E, not !!EN, but !!END of it.'])
    const { commit, said } = await decode({ stop: ['!!END'] })
    expect([commit.text, said, commit.finish]).toEqual(['It is !!E, not !!EN, but ', commit.text, 'stop'])
    expect((await generate({ stop: ['!!END'] })).text).toBe(commit.text)
  })

  test('the earliest of several ends the text, though one token brings both', async () => {
    // One token.
    expect(tokensOf(' apples')).toHaveLength(4)
    expect(tokensOf('.\n\n')).toHaveLength(1)
    targetWrites(['So be it.\n\n', 'More.'])
    for (const stop of [
      ['\n\n', '.\n'],
      ['.\n', '\n\n'],
    ]) {
      expect((await decode({ stop })).commit).toMatchObject({ text: 'So be it', finish: 'stop' })
      expect(await generate({ stop })).toMatchObject({ text: 'So be it', reason: 'stop', stop: '.\n' })
    }
  })

  test.each([
    ['unaided', unaided],
    ['with the drafted tokens as guesses', asDrafted],
  ])('no token is committed after one, in whatever step it comes: %s', async (_, speculation) => {
    const steps = ['We say A.\n\n', 'We say B and more.\n\n', 'We say C.\n\n']
    for (const stop of ['say A', 'B and', 'say C']) {
      const { length } = tokensOf(steps.join('').slice(0, steps.join('').indexOf(stop) + stop.length))
      targetWrites(steps)
      const { commit, said } = await rule(steps.slice(0, 2), { stop: [stop], speculation })
      const text = steps.join('').slice(0, steps.join('').indexOf(stop))
      expect([commit.text, said, commit.finish]).toEqual([text, text, 'stop'])
      expect(commit.tokens).toEqual(tokensOf(...steps).slice(0, length))
      // The target's own step too is only told as far as it is text.
      expect(text.endsWith(commit.correction)).toBe(true)
    }
  })

  test('one that began before the context was restored still ends the text', async () => {
    targetWrites(['So be !!END it.'])
    const whole = tokensOf('So be !!END it.')
    for (let n = 1; n < tokensOf('So be !!END').length; n++) {
      const restored = { id: `restored ${n}`, prompt, output: whole.slice(0, n) }
      const { commit } = await rule([], { decode: 'end', stop: ['!!END'] }, restored)
      expect(commit).toMatchObject({ finish: 'stop', tokens: whole.slice(n, tokensOf('So be !!END').length) })
    }
  })

  test('other ones than in the call before count from now on', async () => {
    targetWrites(['A.\n\n', 'B.\n\n', 'C.\n\n'])
    const { commit } = await rule([], { stop: ['C'] })
    const next = await rule([], { decode: 'end', stop: ['B'] }, { id: 'run', length: commit.tokens.length })
    expect(next.commit).toMatchObject({ text: '', finish: 'stop' })
  })

  test('are part of the text only where that is asked for', async () => {
    targetWrites(['So be !!END it.'])
    expect((await generate({ stop: ['!!END'] })).text).toBe('So be ')
    expect((await generate({ stop: ['!!END'], includeStop: true })).text).toBe('So be !!END')
  })
})

describe('the least length', () => {
  test('a stop string that comes with its last token does not count, the next one does', async () => {
    targetWrites(['x', 'y', 'a', 'a', 'a'])
    expect(tokensOf('xyaaa')).toHaveLength(5)
    for (const [minTokens, text] of [
      [0, 'xy'],
      [2, 'xy'],
      [3, 'xya'],
      [4, 'xyaa'],
    ] as const)
      expect(await generate({ stop: ['a'], rules: { minTokens } })).toMatchObject({ text, reason: 'stop', stop: 'a' })
  })

  test('the end of the text can come right after it, and not before', async () => {
    const { end } = staged
    const [x] = tokensOf('x') as [number]
    // The end is likelier at any time.
    staged.says(
      'target',
      () =>
        new Map([
          [end, 1],
          [x, 0],
        ]),
    )
    for (const minTokens of [0, 1, 2, 5]) {
      const { tokens } = await generate({ rules: { minTokens } })
      expect(tokens).toEqual([...Array.from({ length: minTokens }, () => x), end])
    }
  })
})

test('a text has no more tokens than it may, and is told why it ended', async () => {
  const text = 'We have 3.\n\n'
  targetWrites([text])
  const all = tokensOf(text)
  for (let most = 1; most <= all.length; most++) {
    expect(await generate({ maxTokens: most })).toMatchObject({ tokens: all.slice(0, most), reason: 'length' })
    expect((await decode({ max_tokens: most })).commit).toMatchObject({
      tokens: all.slice(0, most),
      finish: 'length',
    })
  }
  expect(await generate()).toMatchObject({ tokens: [...all, staged.end], reason: 'stop', text })
  expect((await decode()).commit).toMatchObject({ tokens: [...all, staged.end], finish: 'stop', text })
})

test('where the model can read no more, texts end there', async () => {
  const { capacity } = staged.engine.target
  const text = 'We have 3 apples, and eat 2 of them, so 1 is left.\n\n'
  const room = 6
  const long = 'x '.repeat(capacity)
  const start = tokensOf(prompt).length
  const full = [...tokensOf(prompt), ...tokensOf(long)].slice(0, capacity - room)
  const almost = { id: 'full', prompt, output: full.slice(start) }
  const written = tokensOf(text).slice(0, room)
  const [word] = tokensOf('x') as [number]
  for (const role of ['target', 'draft'] as const)
    staged.says(role, (read) => tokensOf(text)[read.length - full.length] ?? word)
  const steps = await draftSteps(staged.engine, almost, 3, { sampling: { temperature: 0 } })
  expect(steps.map(({ tokens, end }) => [tokens, end])).toEqual([[room, 'cap']])
  const { commit } = await rule([], { max_tokens: 100 }, almost)
  expect(commit).toMatchObject({ tokens: written, finish: 'length' })
  expect(await write(staged.engine, full, { maxTokens: room })).toMatchObject({ tokens: written, reason: 'length' })
})

test('right guesses and wrong ones change nothing of a text', async () => {
  const text = 'We have 3 apples, and eat 2 apples, and buy 4 apples, and sell 3 apples.'
  targetWrites([text])
  for (const drafted of [text, text.replaceAll('apples', 'pears'), text.toUpperCase()]) {
    const draft = staged.writes('draft', prompt, [drafted])
    for (const ngram of [0, 4]) {
      const written = await generate({ ngram, draft: 4, sampling: { temperature: 0, seed: 1 } })
      const { text: own, speculation } = written
      expect(own).toBe(text)
      // Not even a guess that there is nothing more is part of it twice.
      expect(written.tokens).toEqual([...tokensOf(text), staged.end])
      expect(speculation.proposed).toBeGreaterThan(0)
      if (drafted === text) expect(speculation.accepted).toBeGreaterThan(speculation.proposed / 2)
    }
    expect(draft.forwards.length).toBeGreaterThan(0)
  }
})

test('a step that came as half a step is over where it is agreed to, and nothing more is run for it', async () => {
  const half = 'We have 3'
  for (const speculation of [unaided, asDrafted]) {
    const target = targetWrites([half, ' apples.\n\n'])
    const { commit, verdicts } = await rule([half], { speculation })
    expect(verdicts).toEqual([{ index: 0, accepted: true, reason: 'exact' }])
    expect(commit).toMatchObject({ text: `${half} apples.\n\n`, correction: ' apples.\n\n' })
    const asked = target.asked.map(String)
    expect(asked).toEqual([...new Set(asked)])
    forget(staged.engine)
    staged.engine.contexts.drop('run')
  }
})

test('a stop string amid a step leaves no slot of the draft behind', async () => {
  const text = 'We have 3 apples, and eat 2 apples, and buy 4 apples.'
  targetWrites([text])
  const draft = staged.writes('draft', prompt, [text])
  const { commit } = await decode({
    stop: ['eat 2'],
    speculation: { ...unaided, draft: 2 },
    sampling: { temperature: 0, seed: 1 },
  })
  expect(commit).toMatchObject({ text: 'We have 3 apples, and ', finish: 'stop' })
  expect(draft.forwards.length).toBeGreaterThan(0)
  staged.engine.draft!.kv.assertIdle()
})
