/** Drafting and verification at the same time: the shipped models, and models that say what a test tells them to. */
import { describe, expect, test } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { asDrafted, follow, unaided, verify, write } from '../../test/calls.ts'
import type { VerifyOptions } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import type { VerifyEvent } from './events.ts'

const stage = stageEngine()
const questions = testProblems(3).map(({ question }) => [{ role: 'user' as const, content: question }])
const prompt = 'Tell me.\n'
const guesses = { drafted: true, ngram: 8, draft: 16 }

const tokensOf = (events: readonly VerifyEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'commit' ? event.tokens : []))
const textOf = (events: readonly VerifyEvent[]): string =>
  events.map((event) => (event.type === 'commit' ? event.text : '')).join('')
const verdictsOf = (events: readonly VerifyEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'verdict' ? [`${event.accepted ? 'yes' : 'no'} ${event.reason}`] : []))

describe.each([
  ['overlapped', true],
  ['in turns', false],
])('%s', (_, overlap) => {
  test.each([
    ['temperature 0', { temperature: 0 }],
    ['a seed', { temperature: 1, seed: 5 }],
  ])('with the exact verifier the text is that of plain decoding: %s', async (_name, sampling) => {
    let accepted = 0
    for (const messages of questions) {
      const common = { sampling, max_tokens: 200, verifier: 'exact' }
      const id = `plain ${JSON.stringify(messages)}`.slice(0, 60)
      const plain = await verify(stage.engine, { id, messages }, { ...common, decode: 'end', speculation: unaided })
      stage.engine.contexts.drop(id)
      for (const speculation of [guesses, unaided]) {
        const events = await follow(stage.engine, { messages }, { ...common, speculation, depth: 4, overlap })
        expect(tokensOf(events)).toEqual(plain.commit.tokens)
        accepted += verdictsOf(events).filter((verdict) => verdict.startsWith('yes')).length
      }
    }
    expect(accepted).toBeGreaterThan(1)
  })

  const run = (options: Partial<VerifyOptions> = {}) =>
    follow(
      stage.engine,
      { prompt },
      {
        depth: 3,
        overlap,
        verifier: 'exact',
        speculation: asDrafted,
        sampling: { temperature: 0 },
        max_tokens: 300,
        ...options,
      },
    )

  test('what hangs on a refuted step is void, and the draft goes on from what the target wrote', async () => {
    const own = ['One cat.\n\n', 'Two dogs.\n\n', 'Three birds.\n\n', 'Four fish.\n\n', 'Five bees.\n\n', 'No more.']
    stage.writes('target', prompt, own)
    // Wrong in the second step; right again once it reads the target's.
    stage.writes('draft', prompt, own, ['One cat.\n\n', 'Two cows.\n\n', 'Nine hens.\n\n', 'Ten rats.\n\n'])
    const events = await run()
    expect(textOf(events)).toBe(own.join(''))
    expect(verdictsOf(events).filter((verdict) => verdict === 'no exact')).toHaveLength(0)
  })

  test('a text that the draft ends too early goes on', async () => {
    const own = ['One cat.\n\n', 'Two dogs.\n\n', 'Three birds.']
    stage.writes('target', prompt, own)
    stage.writes('draft', prompt, ['One cat.\n\n', 'Two dogs.'])
    expect(textOf(await run())).toBe(own.join(''))
  })

  test('it ends where the tokens it may commit are used up', async () => {
    const own = ['One cat.\n\n', 'Two dogs.\n\n', 'Three birds.\n\n', 'Four fish.']
    stage.writes('target', prompt, own)
    stage.writes('draft', prompt, own)
    const whole = tokensOf(await run())
    for (const most of [1, 4, whole.length - 1]) {
      const events = await run({ max_tokens: most })
      expect(tokensOf(events)).toEqual(whole.slice(0, most))
      expect(events.findLast((event) => event.type === 'commit')!.finish).toBe('length')
    }
  })

  test('a client that leaves frees both models', async () => {
    const abort = new AbortController()
    const own = Array.from({ length: 40 }, (_step, i) => `Line ${i}.\n\n`)
    stage.writes('target', prompt, own)
    stage.writes('draft', prompt, own)
    setTimeout(() => abort.abort(new Error('left')), 1)
    const options = { depth: 3, overlap, max_tokens: 500, sampling: { temperature: 0 } }
    await expect(follow(stage.engine, { prompt }, options, abort.signal)).rejects.toThrow('left')
  })
})

test('without a draft call the target writes alone, step by step', async () => {
  const own = ['One cat.\n\n', 'Two dogs.\n\n', 'Three birds.']
  stage.writes('target', prompt, own)
  const events = await follow(
    stage.engine,
    { prompt },
    { depth: 0, max_tokens: 100, sampling: { temperature: 0 }, speculation: unaided },
  )
  expect(textOf(events)).toBe(own.join(''))
  expect(events.filter((event) => event.type === 'commit').map(({ text }) => text)).toEqual(own)
})

describe('likelihood', () => {
  test('accepted steps are the draft’s words, and no token of them is decoded', async () => {
    const own = ['One cat.\n\n', 'Two dogs.\n\n', 'Three birds.\n\n', 'Four fish.']
    stage.writes('target', prompt, own)
    stage.writes('draft', prompt, own)
    const before = stage.engine.stats.target!.forwards
    const events = await follow(
      stage.engine,
      { prompt },
      {
        depth: 4,
        overlap: false,
        verifier: 'likelihood',
        speculation: unaided,
        sampling: { temperature: 0 },
        max_tokens: 100,
      },
    )
    expect(textOf(events)).toBe(own.join(''))
    expect(verdictsOf(events)).toEqual(['yes likely', 'yes likely', 'yes likely', 'yes likely'])
    expect(stage.engine.stats.target!.forwards - before).toBeLessThan(5)
  })
})

test('a seeded text is the same whoever guesses, in a completion and in a run', async () => {
  const [messages] = questions
  const { tokenizer } = stage.engine.target.model
  const text = tokenizer.encode(tokenizer.renderChat(messages!, { addGenerationPrompt: true }))
  const sampling = { temperature: 1, seed: 11 }
  const completion = await write(stage.engine, text, { sampling, maxTokens: 120, draft: 8, ngram: 8 })
  const events = await follow(
    stage.engine,
    { messages: messages! },
    {
      sampling,
      max_tokens: 120,
      verifier: 'exact',
      depth: 4,
      speculation: guesses,
    },
  )
  expect(tokensOf(events)).toEqual(completion.tokens)
})
