import path from 'node:path'
import type { VerifyRequestInput } from '@lookahead/sdk/protocol'
import type { Committed, StepDrafted, VerdictGiven, VerifyEvent } from './events.ts'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { forget, parseDraft, parseVerify } from '../../test/calls.ts'
import { draft } from './decode/draft.ts'
import { Engine } from './engine.ts'
import { verifySteps } from './decode/verify.ts'

const models = path.join(import.meta.dirname, '../../models')
const signal = new AbortController().signal
const problems = testProblems(6)
const questions = problems.map((problem) => problem.question)
/** Steps of a right solution. */
const solution = (problem: number, seed = 1): string[] => problems[problem]!.solve(seed).steps
const MAX_TOKENS = 200

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 4096 })
})
afterAll(() => engine.close())
afterEach(() => forget(engine))

type VerifyOptions = Omit<VerifyRequestInput, 'context'>

async function collect<E>(events: AsyncIterable<E>): Promise<E[]> {
  const all: E[] = []
  for await (const event of events) all.push(event)
  return all
}

async function verify(
  context: VerifyRequestInput['context'],
  options: VerifyOptions,
  abort = signal,
): Promise<VerifyEvent[]> {
  const request = parseVerify({ context, ...options })
  return collect(verifySteps(engine, await engine.context(request.context), request, abort))
}

async function draftSteps(
  context: VerifyRequestInput['context'],
  depth: number,
  sampling = {},
): Promise<StepDrafted[]> {
  const request = parseDraft({ context, depth, sampling })
  const events = await collect(draft(engine, await engine.context(request.context), request, signal))
  return events.filter((event) => event.type === 'step')
}

const commitOf = (events: VerifyEvent[]): Committed => events.find((event) => event.type === 'commit')!
const deltasOf = (events: VerifyEvent[]): string =>
  events.map((event) => (event.type === 'delta' ? event.text : '')).join('')

/** The cycle, as the worker runs it. */
async function lookahead(
  question: string,
  depth: number,
  options: Omit<VerifyOptions, 'steps' | 'max_tokens'>,
  maxTokens = MAX_TOKENS,
) {
  const output: number[] = []
  const verdicts: VerdictGiven[] = []
  const corrections: string[] = []
  let text = ''
  let context: VerifyRequestInput['context'] = { id: 'run', messages: [{ role: 'user', content: question }] }
  for (;;) {
    const steps = depth > 0 ? await draftSteps(context, depth, options.sampling) : []
    if (depth > 0) context = { id: 'run', length: output.length }
    const events = await verify(context, {
      steps: steps.map((step) => ({ id: step.id, text: step.text })),
      max_tokens: maxTokens - output.length,
      ...options,
    })
    const commit = commitOf(events)
    expect(commit.text.startsWith(deltasOf(events))).toBe(true)
    corrections.push(commit.correction)
    const ruled = events.filter((event) => event.type === 'verdict')
    expect(ruled.filter((verdict) => verdict.accepted).length).toBe(commit.accepted)
    verdicts.push(...ruled)
    output.push(...commit.tokens)
    text += commit.text
    if (commit.finish) {
      // A stop string may begin with what a step ends with.
      for (const correction of corrections) expect(text).toContain(correction.trimEnd())
      return { output, text, verdicts, finish: commit.finish }
    }
    context = { id: 'run', length: output.length }
  }
}

const plain = { decode: 'end', speculation: { drafted: false, ngram: 0, draft: 0 } } as const
const modes = {
  ngram: { depth: 0, options: { decode: 'end', speculation: { drafted: false, ngram: 8, draft: 0 } } },
  draft: { depth: 0, options: { decode: 'end', speculation: { drafted: false, ngram: 0, draft: 4 } } },
  sd: { depth: 0, options: { decode: 'end', speculation: { drafted: false, ngram: 8, draft: 8 } } },
  lr: { depth: 3, options: { speculation: { drafted: false, ngram: 0, draft: 0 } } },
  'lr+sd': { depth: 3, options: { speculation: { drafted: true, ngram: 8, draft: 8 } } },
} as const

describe('the exact verifier at temperature 0 gives plain decoding, token for token', () => {
  test.each(Object.entries(modes))('%s', async (_mode, { depth, options }) => {
    const sampling = { temperature: 0 }
    for (const question of questions) {
      const reference = await lookahead(question, 0, { ...plain, sampling })
      const run = await lookahead(question, depth, { ...options, verifier: 'exact', sampling })
      expect(run.output).toEqual(reference.output)
      expect(run.text).toBe(reference.text)
      expect(run.finish).toBe(reference.finish)
    }
  })
})

test('the same seed gives the same text, another seed another', async () => {
  const sampling = { temperature: 1, seed: 11 }
  const run = (seed: number) =>
    lookahead(questions[0]!, 3, { ...modes['lr+sd'].options, sampling: { ...sampling, seed } })
  const first = await run(11)
  expect((await run(11)).output).toEqual(first.output)
  expect((await run(12)).output).not.toEqual(first.output)
})

test('a commit never holds more than max_tokens', async () => {
  for (const maxTokens of [1, 2, 7, 30, 61]) {
    const { output, finish } = await lookahead(
      questions[1]!,
      3,
      { ...modes['lr+sd'].options, sampling: { temperature: 0 } },
      maxTokens,
    )
    expect(output.length).toBe(maxTokens)
    expect(finish).toBe('length')
  }
})

test('a step cut by the cap is not judged', async () => {
  const context = { id: 'run', messages: [{ role: 'user' as const, content: questions[0]! }] }
  const events = await verify(context, {
    steps: [{ text: solution(0)[0]! }],
    step_rules: { max_tokens: 8 },
    max_tokens: MAX_TOKENS,
    sampling: { temperature: 0 },
  })
  expect(events.filter((event) => event.type === 'verdict')).toEqual([
    { type: 'verdict', index: 0, accepted: false, reason: 'half_step' },
  ])
  expect(commitOf(events).tokens.length).toBe(8)
})

describe('stop strings end the text before them in every mode, wherever tokens are cut', () => {
  const sampling = { temperature: 0 }
  const verifier = 'exact'
  let text: string
  let tokens: number[]
  let answer: number
  beforeAll(async () => {
    ;({ text, output: tokens } = await lookahead(questions[3]!, 0, { ...plain, sampling }, 600))
    answer = text.indexOf('</think>') + '</think>\n\n'.length
  })

  test.each(Object.entries({ plain: { depth: 0, options: plain }, ...modes }))('%s', async (_, { depth, options }) => {
    const run = (stop: string[], more = {}) =>
      lookahead(questions[3]!, depth, { ...options, ...more, verifier, sampling, stop }, 600)
    // The thinking has it too; the white space behind the thinking, and a tag, are no part of the answer.
    expect(text.indexOf(' is ')).toBeLessThan(answer)
    const notInAnswer = ['\n\n', `</think>\n\n${text[answer]!}`]
    const cut = { text: until(text, ' is ', answer), finish: 'stop' }
    expect(await run([...notInAnswer, ' is '])).toMatchObject(cut)

    const everywhere = { stop_in_reasoning: true }
    for (const stop of [text.slice(37, 44), '\n\n', text.slice(answer - 12, answer + 2)])
      expect(await run([stop], everywhere)).toMatchObject({ text: until(text, stop), finish: 'stop' })
  })

  test('in a context that was lost and is restored, wherever it was', async () => {
    const { tokenizer } = engine.target.model
    const stop = ['\n\n', ' is ']
    const cut = until(text, ' is ', answer)
    for (let length = tokenizer.encode(text.slice(0, answer - 12)).length, written = ''; ; length++) {
      const output = tokens.slice(0, length)
      written = tokenizer.decode(output)
      if (written.length > cut.length) break
      const context = { id: 'restored', messages: [{ role: 'user' as const, content: questions[3]! }], output }
      const commit = commitOf(await verify(context, { ...plain, stop, sampling, max_tokens: 60 }))
      expect(cut.endsWith(commit.text)).toBe(true)
      expect(commit).toMatchObject({ finish: 'stop' })
      // The beginning of a stop string was held back, and is not out yet.
      expect(commit.text.length).toBeGreaterThanOrEqual(cut.length - written.length)
    }
  })

  const until = (whole: string, stop: string, from = 0): string => {
    const at = whole.indexOf(stop, from)
    return at < 0 ? whole : whole.slice(0, at)
  }
})

test('the whole prompt tells where its output begins', async () => {
  const context = async (prompt: string) => {
    const events = await verify({ id: 'run', prompt }, { ...plain, max_tokens: 1 })
    return events.find((event) => event.type === 'context')!.channels
  }
  expect(await context('1 + 2 = ')).toMatchObject({ thinking: false, after_tag: false, partial_tag: '' })
  expect(await context('<think>\n')).toMatchObject({ thinking: true, after_tag: true, partial_tag: '' })
  expect(await context('<think>\nAnn has')).toMatchObject({ thinking: true, after_tag: false, partial_tag: '' })
  expect(await context('<think>Ann</think>\n\n3.</thi')).toMatchObject({ thinking: false, partial_tag: '</thi' })
})

test('drafted steps from elsewhere need no id', async () => {
  const messages = [{ role: 'user' as const, content: questions[3]! }]
  const sampling = { temperature: 0 }
  const [whole] = (await verify({ id: 'reference', messages }, { ...plain, max_tokens: MAX_TOKENS, sampling })).filter(
    (event) => event.type === 'commit',
  )
  const step = whole!.text.slice(0, whole!.text.indexOf('\n\n') + 2)
  const half = engine.target.model.tokenizer.decode(whole!.tokens.slice(0, 8))
  for (const text of [step, half])
    for (const drafted of [true, false]) {
      const events = await verify(
        { id: 'run', messages },
        { steps: [{ text }], speculation: { drafted, ngram: 0, draft: 0 }, max_tokens: MAX_TOKENS, sampling },
      )
      expect(events).toContainEqual({ type: 'verdict', index: 0, accepted: true, reason: 'exact' })
      expect(commitOf(events).tokens.length).toBeGreaterThan(8)
      expect(whole!.text.startsWith(commitOf(events).text)).toBe(true)
    }
})

test('a drafted text that is far too long for a step is left out, unread, with those after it', async () => {
  const messages = [{ role: 'user' as const, content: questions[3]! }]
  const encode = vi.spyOn(engine.target.model.tokenizer, 'encode')
  const long = 'word '.repeat(100_000)
  const events = await verify(
    { id: 'run', messages },
    { steps: [{ text: long }, { text: 'Next.\n\n' }], max_tokens: 20, sampling: { temperature: 0 } },
  )
  expect(events.filter(({ type }) => type === 'verdict')).toEqual([])
  expect(commitOf(events).tokens.length).toBeGreaterThan(0)
  expect(encode.mock.calls.map(([text]) => text)).not.toContain(long)
  encode.mockRestore()
})

test('no token is drafted that the target does not know', async () => {
  const { model } = engine.target
  const { config } = model
  const vocabSize = 300
  Object.defineProperty(model, 'config', { value: { ...config, vocabSize }, configurable: true })
  try {
    await draftSteps({ id: 'run', messages: [{ role: 'user', content: questions[0]! }] }, 3, { temperature: 1 })
    const drafts = [...engine.contexts.get('run', 0).drafts.steps]
    expect(drafts.length).toBeGreaterThan(0)
    for (const { tokens } of drafts) expect(Math.max(...tokens)).toBeLessThan(vocabSize)
  } finally {
    Object.defineProperty(model, 'config', { value: config, configurable: true })
  }
})

test('guesses after the end of a step do not count as kept', async () => {
  const sampling = { temperature: 0, seed: 1 }
  for (const question of questions) {
    const context = { id: 'run', messages: [{ role: 'user' as const, content: question }] }
    const events = await verify(context, { max_tokens: MAX_TOKENS, sampling })
    const { accepted, drafts } = events.find((event) => event.type === 'done')!.speculation!
    expect(accepted).toBeGreaterThan(0)
    expect(accepted + drafts).toBeLessThanOrEqual(commitOf(events).tokens.length)
  }
})

test('steps behind a rejected one give back at once what they guessed with', async () => {
  const messages = [{ role: 'user' as const, content: questions[3]! }]
  // With a seed they guess from the start.
  const sampling = { temperature: 0, seed: 1 }
  const reference = await verify({ id: 'reference', messages }, { decode: 3, max_tokens: MAX_TOKENS, sampling })
  const [first, ...others] = commitOf(reference).text.split(/(?<=\n\n)/)
  const request = parseVerify({
    context: { id: 'run', messages },
    steps: [`${first!.slice(0, 60)} nothing ${first!.slice(60)}`, ...others].map((text) => ({ text })),
    max_tokens: MAX_TOKENS,
    sampling,
    speculation: { drafted: false, ngram: 0, draft: 1 },
  })
  const context = await engine.context(request.context)
  const forward = vi.spyOn(engine.draft!.model, 'forward')
  const widest = () => Math.max(...forward.mock.calls.map(([rows]) => rows.length))
  const running: number[] = []
  for await (const event of verifySteps(engine, context, request, signal)) {
    if (event.type !== 'verdict') continue
    expect(widest()).toBe(4)
    running.push(engine.stats.draft!.running)
  }
  forward.mockRestore()
  expect(running).toEqual([1])
})

test('drafted steps from elsewhere end with the delimiter that the request names', async () => {
  const messages = [{ role: 'user' as const, content: questions[3]! }]
  const common = {
    step_rules: { delimiters: ['='] },
    sampling: { temperature: 0 },
    speculation: { drafted: false, ngram: 0, draft: 0 },
  }
  const [whole] = (await verify({ id: 'reference', messages }, { ...common, max_tokens: MAX_TOKENS })).filter(
    (event) => event.type === 'commit',
  )
  // Other tokens, but the same step.
  const step = whole!.text.toUpperCase()
  expect(step.endsWith('=')).toBe(true)
  const events = await verify({ id: 'run', messages }, { ...common, steps: [{ text: step }], max_tokens: MAX_TOKENS })
  expect(events).toContainEqual({ type: 'verdict', index: 0, accepted: true, reason: 'exact' })
})

test('without a judge no step is accepted but an exact one, and the run goes on', async () => {
  const rule = engine.judge!.rule
  engine.judge!.rule = () => Promise.reject(new Error('staged'))
  const log = console.error
  console.error = () => undefined
  try {
    const sampling = { temperature: 1, seed: 5 }
    const reasons = new Set<string>()
    for (const question of questions) {
      const { verdicts, finish } = await lookahead(question, 4, { ...modes.lr.options, sampling })
      expect(finish).toBeDefined()
      for (const { accepted, reason } of verdicts) {
        if (accepted) expect(reason).toBe('exact')
        reasons.add(reason)
      }
    }
    expect(reasons).toContain('judge_failed')
  } finally {
    engine.judge!.rule = rule
    console.error = log
  }
})

test('a client that leaves stops the work within one forward', async () => {
  const abort = new AbortController()
  const request = parseVerify({
    context: { id: 'run', messages: [{ role: 'user', content: questions[5]! }] },
    max_tokens: MAX_TOKENS,
    ...plain,
  })
  let forwards = 0
  const { model } = engine.target
  const forward = model.forward.bind(model)
  model.forward = (rows) => {
    forwards++
    if (forwards === 5) abort.abort()
    return forward(rows)
  }
  try {
    const context = await engine.context(request.context)
    await expect(collect(verifySteps(engine, context, request, abort.signal))).rejects.toThrow('abort')
    expect(forwards).toBe(5)
  } finally {
    model.forward = forward
  }
})

test('a context the backend does not hold is context_lost; with its output tokens it is restored', async () => {
  const sampling = { temperature: 0 }
  await expect(engine.context({ id: 'nowhere', length: 0 })).rejects.toThrow(
    expect.objectContaining({ code: 'context_lost' }),
  )
  const messages = [{ role: 'user' as const, content: questions[0]! }]
  const first = commitOf(await verify({ id: 'a', messages }, { max_tokens: MAX_TOKENS, sampling }))
  await expect(engine.context({ id: 'a', length: 3 })).rejects.toThrow(
    expect.objectContaining({ code: 'context_lost' }),
  )
  const kept = commitOf(await verify({ id: 'a', length: first.tokens.length }, { max_tokens: MAX_TOKENS, sampling }))
  const restored = commitOf(
    await verify({ id: 'b', messages, output: [...first.tokens] }, { max_tokens: MAX_TOKENS, sampling }),
  )
  expect(restored.tokens).toEqual(kept.tokens)
})

test('several requests at once each get what they get alone', async () => {
  const sampling = { temperature: 0 }
  const ask = (id: string, question: string) =>
    verify({ id, messages: [{ role: 'user', content: question }] }, { ...plain, max_tokens: 60, sampling }).then(
      commitOf,
    )
  const alone: Committed[] = []
  for (const [i, question] of questions.entries()) alone.push(await ask(`alone ${i}`, question))
  const together = await Promise.all(questions.map((question, i) => ask(`together ${i}`, question)))
  expect(together.map((commit) => commit.tokens)).toEqual(alone.map((commit) => commit.tokens))
})

test('the pools share the memory they are given, and too little is refused with what would do', async () => {
  const sized = await Engine.load({ models, memory: 4 })
  const sizes = sized.runners.map(({ runner }) => runner.kv.pool.size)
  sized.close()
  // Bytes a token: target 6 layers of 128 + 128 floats, judge 4 of 64 + 64; the draft's depend on which one ships.
  expect(new Set(sizes).size).toBe(1)
  expect(sizes[0]).toBeLessThanOrEqual((4 * 2 ** 20) / ((6 * 256 + 4 * 128) * 4))
  expect(sizes[0]).toBeGreaterThan(256)
  await expect(Engine.load({ models, memory: 1 })).rejects.toThrow(/--memory 1 holds \d+ tokens: give \d+ MiB or more/)
})
