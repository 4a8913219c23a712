/** Drafting and verification at the same time, mostly with models that say what a test tells them to. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { asDrafted, follow, unaided, write } from '../../test/calls.ts'
import type { VerifyOptions } from '../../test/calls.ts'
import { stageEngine } from '../../test/stage-engine.ts'
import type { VerifyEvent } from './events.ts'
import { LEAST_LOGPROB } from './judging/likelihood.ts'

const stage = stageEngine({ leastLogprob: LEAST_LOGPROB })
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

describe('who works when', () => {
  const own = ['One cat.\n\n', 'Two dogs.\n\n', 'Three birds.\n\n', 'Four fish.\n\n', 'Five bees.\n\n', 'No more.']

  /** What the draft did while the target was at work, forward by forward. */
  async function watch(depth: number, overlap: boolean) {
    const target = stage.writes('target', prompt, own)
    const draft = stage.writes('draft', prompt, own)
    const seen: { draftForwards: number; steps: number }[] = []
    target.before = async () => {
      const before = draft.forwards.length
      await sleep(10)
      const { steps } = stage.engine.contexts.find('run')!.drafts
      seen.push({ draftForwards: draft.forwards.length - before, steps: steps.length })
    }
    const options = { depth, overlap, verifier: 'exact', speculation: asDrafted, max_tokens: 300 }
    const events = await follow(stage.engine, { prompt }, { ...options, sampling: { temperature: 0 } })
    expect(textOf(events)).toBe(own.join(''))
    return { seen, events, beside: { target: target.beside, draft: draft.beside } }
  }

  test('in turns, the draft writes as many steps as are wanted, then waits for the verification', async () => {
    const { seen, events, beside } = await watch(3, false)
    expect(beside.target).not.toContain(true)
    expect(seen.every(({ draftForwards }) => draftForwards === 0)).toBe(true)
    const cycles = events.flatMap(({ type }, i) => (type === 'cycle' ? [i] : []))
    const steps = cycles.map((end, i) =>
      events.slice(cycles[i - 1] ?? 0, end).reduce((sum, { type }) => sum + Number(type === 'step'), 0),
    )
    expect(steps).toEqual([3, 3])
  })

  test('overlapped, it writes while the target verifies, and no further ahead than it may', async () => {
    const { seen, beside } = await watch(2, true)
    expect(beside.target.map(Number)).toEqual(seen.map(({ draftForwards }) => Number(draftForwards > 0)))
    expect(beside.draft).not.toContain(true)
    expect(seen.some(({ draftForwards }) => draftForwards > 0)).toBe(true)
    expect(Math.max(...seen.map(({ steps }) => steps))).toBe(2)
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

test('each cycle tells what the text took of the forwards, and how many texts were at work', async () => {
  const options = {
    depth: 2,
    overlap: false,
    verifier: 'likelihood',
    max_tokens: 120,
    speculation: guesses,
    sampling: {},
  }
  const cyclesOf = async (i: number) => {
    const events = await follow(stage.engine, { id: `text ${i}`, messages: questions[i]! }, options)
    return events.flatMap((event) => (event.type === 'cycle' ? [event.work] : []))
  }
  const alone = await cyclesOf(0)
  for (const { shareMs, load, draftMs, targetMs } of alone) {
    expect(load).toBe(1)
    expect(shareMs).toBeGreaterThan(0)
    expect(shareMs).toBeLessThanOrEqual(draftMs + targetMs)
  }
  const together = await Promise.all([0, 1, 2].map(cyclesOf))
  expect(Math.max(...together.flat().map(({ load }) => load!))).toBeGreaterThan(1)
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

  const likely = (options: { depth: number; overlap: boolean }) =>
    follow(
      stage.engine,
      { prompt },
      { ...options, verifier: 'likelihood', speculation: unaided, sampling: { temperature: 0 }, max_tokens: 100 },
    )

  test('overlapped, every step stands that is accepted, none is drafted twice, and the target writes nothing itself', async () => {
    const own = ['One cat.\n\n', 'Two dogs.\n\n', 'Three birds.\n\n', 'Four fish.']
    stage.writes('target', prompt, own)
    const draft = stage.writes('draft', prompt, own)
    const events = await likely({ depth: 2, overlap: true })
    expect(textOf(events)).toBe(own.join(''))
    expect(verdictsOf(events)).toEqual(own.map(() => 'yes likely'))
    expect(events.flatMap((event) => (event.type === 'commit' ? [event.correction] : [])).join('')).toBe('')
    const run = draft.forwards.flat().reduce((sum, { tokens }) => sum + tokens.length, 0)
    const { tokenizer } = stage.engine.target.model
    expect(run).toBeLessThanOrEqual(tokenizer.encode(prompt).length + tokensOf(events).length)
  })

  test('a step with an unlikely word is cut before it: the target writes its own, and the draft goes on from there', async () => {
    const own = ['One cat.\n\n', 'Two dogs and a horse.\n\n', 'Three birds.']
    const target = stage.writes('target', prompt, own)
    // Right again once it has read the target's.
    stage.writes('draft', prompt, ['One cat.\n\n', 'Two hens and a horse.\n\n', 'Three birds.'], own)
    const events = await likely({ depth: 3, overlap: false })
    expect(verdictsOf(events)).toEqual(['yes likely', 'no unlikely', 'yes likely', 'yes likely'])
    expect(textOf(events)).toBe(own.join(''))
    const [correction] = events.flatMap((event) => (event.type === 'commit' ? [event.correction] : []))
    expect(correction).toMatch(/^Two \w+$/)
    // One forward a cycle.
    expect(target.forwards).toHaveLength(2)
  })

  test('after a draft that is refuted again and again the target writes to the end of the step', async () => {
    const own = Array.from({ length: 12 }, (_, i) => `Line ${i} says that all is well with dog ${i}.\n\n`)
    stage.writes('target', prompt, own)
    stage.writes('draft', prompt, ...own.map((_, i) => [...own.slice(0, i), `Line ${i} is no cat.\n\n`]))
    const events = await likely({ depth: 1, overlap: false })
    expect(textOf(events)).toBe(own.join('').slice(0, textOf(events).length))
    const corrections = events.flatMap((event) => (event.type === 'commit' ? [event.correction] : []))
    expect(corrections[0]).not.toMatch(/\n\n$/)
    expect(corrections.slice(4, 7).every((text) => text.endsWith('\n\n'))).toBe(true)
  })
})

test('a seeded text is the same whoever guesses, in a completion and in a run', async () => {
  const [messages] = questions
  const { tokenizer } = stage.engine.target.model
  const text = tokenizer.encode(tokenizer.renderChat(messages!, { addGenerationPrompt: true }))
  // Hotter than the models are sure of themselves: else most texts are the same whatever is drawn.
  for (const seed of [11, 12, 13]) {
    const sampling = { temperature: 2, seed }
    const completion = await write(stage.engine, text, { sampling, maxTokens: 60, draft: 8, ngram: 8 })
    const request = { sampling, max_tokens: 60, verifier: 'exact', depth: 4, speculation: guesses } as const
    const events = await follow(stage.engine, { id: `seed ${seed}`, messages: messages! }, request)
    expect(tokensOf(events)).toEqual(completion.tokens)
  }
})
