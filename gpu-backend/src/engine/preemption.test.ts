/** Texts that share a pool too small for them come out as they do alone, only later. */
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { testProblems } from '../../dataset/index.ts'
import { generateRequest, parseVerify } from '../../test/calls.ts'
import type { GenerateOptions } from '../../test/calls.ts'
import { wholeLogits } from '../model/index.ts'
import { LengthEstimator } from './memory/admission.ts'
import { Priority } from './memory/priority.ts'
import type { ModelRunner } from './model-runner.ts'
import { distribution } from './sampling/distribution.ts'
import { Engine } from './engine.ts'
import { generate } from './decode/generate.ts'
import type { Piece } from './decode/generate.ts'
import type { TokenLogprob } from './sampling/logits.ts'
import { nominal } from './speculation/costs.ts'
import { DraftModel } from './speculation/proposers/draft-model.ts'
import { TokenNoise } from './sampling/noise.ts'
import { Tree } from './decode/tree.ts'
import { verifySteps } from './decode/verify.ts'

const models = path.join(import.meta.dirname, '../../models')
const prompts = testProblems(4).map(({ question }) => question)
const signal = new AbortController().signal
const SLOTS = 300

let roomy: Engine
let tight: Engine
beforeAll(async () => {
  roomy = await Engine.load({ models, slots: 4096 })
  tight = await Engine.load({ models, slots: SLOTS, batchTokens: 64 })
})
afterAll(() => {
  roomy.close()
  tight.close()
})
afterEach(() => {
  vi.restoreAllMocks()
  for (const { runner } of tight.runners) {
    runner.kv.assertIdle()
    expect(runner.stats).toMatchObject({ running: 0, waiting: 0 })
  }
})

test('what only the prefix cache keeps of a text comes back when it ends', async () => {
  const runner = tight.target
  const first = new Tree(runner)
  await first.prefill(someText(4, 200), [], [0])
  first.commit(0)
  const again = new Tree(runner)
  await again.prefill(someText(4, 200), [], [0])
  const { available } = runner.kv.pool
  const { held } = again.lease
  again.release()
  expect(runner.kv.pool.available - available).toBe(held)
  expect(held).toBeGreaterThanOrEqual(200)
})

test('a text that gave its slots back and waits is not idle, however long it waits', async () => {
  const runner = tight.target
  const oldest = new Tree(runner, { most: 200 })
  const waits = new Tree(runner, { most: 50 })
  await oldest.prefill(someText(1, 150), [], [0])
  await waits.prefill(someText(2, 100), [], [0])
  await oldest.advance([{ leaf: oldest.leaf(0), tokens: someText(3, 50) }])
  const { preemptions } = runner.kv.queue
  const goesOn = waits.advance([{ leaf: waits.leaf(0), tokens: [5] }])
  expect(runner.kv.queue.preemptions).toBe(preemptions + 1)
  const { rank } = waits.lease
  const later = performance.now() + 60_000
  vi.spyOn(performance, 'now').mockReturnValue(later)
  expect(waits.lease.rank).toBe(rank)
  oldest.release()
  await goesOn
  waits.release()
})

const someText = (seed: number, length: number): number[] =>
  Array.from({ length }, (_, i) => (seed * 97 + i * 31) % 1200)

function start(engine: Engine, options: GenerateOptions, abort = signal) {
  const prompt = engine.target.model.tokenizer.encode(prompts[0]!)
  const request = generateRequest(engine, prompt, { maxTokens: 150, ignoreEndOfText: true, ...options })
  return generate(engine, request, abort)
}

type Pieces = AsyncGenerator<Piece>

async function read(pieces: Pieces) {
  let text = ''
  const tokens: number[] = []
  const logprobs: TokenLogprob[] = []
  for await (const piece of pieces) {
    text += piece.text
    tokens.push(...piece.tokens)
    logprobs.push(...piece.logprobs)
  }
  return { text, tokens, logprobs }
}

/** Guesses that wait for slots. */
function draftModel({ target, draft, guesses }: Engine, arrival: number): DraftModel {
  return new DraftModel({
    runner: draft!,
    vocabulary: target.model.config.vocabSize,
    distribution: (scores) => distribution(scores, { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 }),
    noise: new TokenNoise(1),
    guesses,
    target: target.batcher,
    tree: { signal, optional: false, arrival },
  })
}

const largestDifference = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0)

/** Every slot that no text uses. */
function takeAll({ kv: { pool, prefixes } }: ModelRunner): number[] {
  prefixes.evict(Infinity)
  return pool.take(pool.free)!
}

const promptOf = (i: number): number[] => roomy.target.model.tokenizer.encode(prompts[i]!)

test('greedy, seeded and penalised texts that have to give their slots back', async () => {
  const requests: GenerateOptions[] = [
    { prompt: promptOf(0) },
    { prompt: promptOf(1), sampling: { temperature: 1, seed: 5 } },
    { prompt: promptOf(2), rules: { frequencyPenalty: 0.5, repetitionPenalty: 1.1 }, logprobs: 2 },
    { prompt: promptOf(3), sampling: { temperature: 1, seed: 6 }, ngram: 0 },
    { prompt: promptOf(0), sampling: { temperature: 0.7, seed: 7 }, ngram: 0, draft: 4 },
  ]
  const alone = []
  for (const request of requests) alone.push(await read(start(roomy, request)))
  // Too many of them are let in.
  vi.spyOn(LengthEstimator.prototype, 'left').mockReturnValue(0)
  const before = tight.stats.target!.preemptions
  const together = await Promise.all(requests.map((request) => read(start(tight, request))))
  expect(tight.stats.target!.preemptions).toBeGreaterThan(before)
  for (const [i, { text, tokens, logprobs }] of together.entries()) {
    expect({ text, tokens }).toEqual({ text: alone[i]!.text, tokens: alone[i]!.tokens })
    for (const [j, { logprob }] of logprobs.entries()) expect(logprob).toBeCloseTo(alone[i]!.logprobs[j]!.logprob, 4)
  }
})

test('a client that reads slowly holds up no older text, and has its own in the end', async () => {
  const prompt = promptOf(1)
  const older = start(tight, { prompt, maxTokens: SLOTS - prompt.length })
  await older.next()
  const request = { prompt: promptOf(2), maxTokens: 60 }
  const slow = start(tight, request)
  const first = await slow.next()
  const before = tight.stats.target!.preemptions
  await read(older)
  expect(tight.stats.target!.preemptions).toBe(before + 1)
  const rest = await read(slow)
  expect((first.value as Piece).text + rest.text).toBe((await read(start(roomy, request))).text)
})

test('a client that reads nothing for a while makes room for newcomers too', async () => {
  const requests = [
    { prompt: promptOf(1), maxTokens: 200 },
    { prompt: promptOf(2), maxTokens: 200 },
  ]
  const [stalled, newcomer] = requests.map((request) => start(tight, request)) as [Pieces, Pieces]
  const first = await stalled.next()
  const reading = read(newcomer)
  expect(tight.stats.target!.waiting).toBe(1)
  const texts = [(await reading).text, (first.value as Piece).text + (await read(stalled)).text]
  for (const [i, text] of texts.toReversed().entries()) expect(text).toBe((await read(start(roomy, requests[i]!))).text)
})

test('a text gives nothing back amid its forwards', async () => {
  const { pool, queue } = tight.target.kv
  const requests: GenerateOptions[] = [
    { prompt: promptOf(1), maxTokens: 60, draft: 0 },
    // Three forwards of 64 tokens.
    { prompt: [0, 2, 3].flatMap(promptOf).slice(0, 170), maxTokens: 20 },
  ]
  const [older, younger] = requests.map((request) => start(tight, request)) as [Pieces, Pieces]
  const first = await older.next()
  const { forwards } = tight.stats.target!
  const reading = read(younger)
  await expect.poll(() => tight.stats.target!.forwards, { interval: 1 }).toBeGreaterThan(forwards)
  const held = takeAll(tight.target)
  const rest = await read(older)
  pool.give(held)
  queue.settle()
  const texts = [(first.value as Piece).text + rest.text, (await reading).text]
  for (const [i, request] of requests.entries()) expect(texts[i]).toBe((await read(start(roomy, request))).text)
})

test('whoever waits when something breaks is told, and the next one is served', async () => {
  const runner = tight.target
  const held = takeAll(runner)
  const trees = [new Tree(runner), new Tree(runner)]
  const reading = trees.map((tree, i) => tree.prefill(someText(i + 1, 50), [], [0]))
  const breaking = vi.spyOn(runner.kv, 'allocate').mockImplementationOnce(() => {
    throw new Error('staged')
  })
  runner.kv.pool.give(held)
  runner.kv.queue.settle()
  for (const prefill of reading) await expect(prefill).rejects.toThrow('staged')
  breaking.mockRestore()
  const next = new Tree(runner)
  await next.prefill(someText(3, 50), [], [0])
  next.release()
})

test('who leaves while waiting is gone at once', async () => {
  // Nobody comes to count as idle.
  vi.spyOn(performance, 'now').mockReturnValue(performance.now())
  const abort = new AbortController()
  const older = start(tight, { maxTokens: 240 })
  await older.next()
  const waiting = start(tight, { prompt: promptOf(1), maxTokens: 200 }, abort.signal).next()
  expect(tight.stats.target).toMatchObject({ running: 1, waiting: 1 })
  const forwards = tight.stats.target!.forwards
  abort.abort(new Error('left'))
  await expect(waiting).rejects.toThrow('left')
  expect(tight.stats.target).toMatchObject({ running: 1, waiting: 0, forwards })
  await older.return()
})

test('without slots for the draft model the text goes on without its guesses, quietly, until there are some', async () => {
  const log = vi.spyOn(console, 'error')
  // On a busy machine measured costs may say that guesses do not pay.
  vi.spyOn(tight, 'costsOf').mockReturnValue(nominal)
  const { pool } = tight.draft!.kv
  const held = takeAll(tight.draft!)
  const request = { prompt: promptOf(3), ngram: 0 }
  const pieces = start(tight, request)
  const first = await pieces.next()
  const { forwards } = tight.stats.draft!
  pool.give(held)
  const rest = await read(pieces)
  expect((first.value as Piece).text + rest.text).toBe((await read(start(roomy, request))).text)
  expect(tight.stats.draft!.forwards).toBeGreaterThan(forwards)
  expect(log).not.toHaveBeenCalled()
})

test('a short text that gave its slots back, and goes on otherwise than it had, is committed', async () => {
  const runner = tight.target
  const tree = new Tree(runner, { most: 20 })
  await tree.prefill(someText(1, 8), someText(2, 12), [0])
  const leaf = tree.leaf(2)
  tree.lease.preempt()
  const tokens = someText(3, 10)
  const [scores] = await tree.advance([{ leaf, tokens }])
  const anew = new Tree(roomy.target)
  const [expected] = await anew.prefill([...someText(1, 8), ...someText(2, 2), ...tokens], [], [0])
  anew.release()
  expect(largestDifference(wholeLogits(scores!.at(-1)), wholeLogits(expected))).toBeLessThan(1e-3)
  tree.commit(2, leaf)
})

test('a text whose guesses were cached with it, and rejected, still gives its slots back', async () => {
  const { pool, queue } = tight.draft!.kv
  const held = takeAll(tight.draft!)
  // Room for some of its guesses: amid them it has to wait.
  pool.give(held.splice(0, 17))
  const model = draftModel(tight, new Priority().nextBranch())
  const text = [5, 6, 7, 8]
  const guessing = model.propose(text, 16)
  await expect.poll(() => queue.waiting, { interval: 1 }).toBe(1)
  pool.give(held.splice(0))
  queue.settle()
  const [first] = await guessing
  await model.propose([...text, first!.token, 9], 16)
  // It does nothing for a while; another text comes.
  const later = performance.now() + 60_000
  vi.spyOn(performance, 'now').mockReturnValue(later)
  const other = new Tree(tight.draft!)
  await other.prefill(someText(4, SLOTS - 10), [], [0])
  other.release()
  model.close()
})

test('parts of one text that guess at the same time, and have no room beside each other, guess in turn', async () => {
  const { draft } = tight
  const age = new Priority()
  const parts = [5, 6].map((seed) => ({ model: draftModel(tight, age.nextBranch()), text: someText(seed, 160) }))
  const before = draft!.stats
  // Nobody comes to count as idle.
  vi.spyOn(performance, 'now').mockReturnValue(performance.now())
  for (let round = 0; round < 2; round++) {
    await Promise.all(parts.map(({ model, text }) => model.propose(text, 20)))
    for (const part of parts) part.text.push(7)
  }
  // Each reads its text twice at most in each round.
  expect(draft!.stats.newTokens - before.newTokens).toBeLessThan(2 * 2 * 2 * 200)
  expect(draft!.stats.preemptions - before.preemptions).toBeGreaterThan(0)
  for (const { model } of parts) model.close()
})

test('the judge rules on more pairs than its pool holds', async () => {
  const pairs = Array.from({ length: 30 }, (_, i) => ({
    target: `She has ${i} apples left.\n\n`,
    draft: `${i % 3 === 0 ? i + 1 : i} apples are left.\n\n`,
  }))
  const aligned = async ({ judge }: Engine) => (await judge!.rule(pairs)).map((probability) => probability > 0.5)
  expect(await aligned(tight)).toEqual(await aligned(roomy))
  expect(tight.judge!.runner.stats.evictions).toBeGreaterThan(0)
})

test('what the pool could never hold is refused at once; of drafted steps as many are verified as it holds', async () => {
  const messages = [{ role: 'user' as const, content: prompts.join(' ').repeat(3) }]
  await expect(tight.context({ id: 'long', messages })).rejects.toThrow(
    expect.objectContaining({ code: 'context_length_exceeded', message: expect.stringContaining('300') }),
  )
  const steps = Array.from({ length: 8 }, () => ({ text: 'Something that no model would say here.\n\n' }))
  const context = { id: 'drafts', messages: [{ role: 'user' as const, content: prompts[0]! }] }
  const request = parseVerify({ context, steps, max_tokens: 250, sampling: { temperature: 0 } })
  const types = new Set<string>()
  for await (const event of verifySteps(tight, await tight.context(request.context), request, signal))
    types.add(event.type)
  expect(types).toContain('commit')
  tight.contexts.drop('drafts')
})

test('hundreds of texts that wait for one with their beginning are looked up once each', async () => {
  const runner = roomy.target
  const lookUp = vi.spyOn(runner.kv.prefixes, 'lookUp')
  const gate = Promise.withResolvers<void>()
  const forward = runner.model.forward.bind(runner.model)
  vi.spyOn(runner.model, 'forward').mockImplementationOnce(async (rows) => (await gate.promise, forward(rows)))
  const shared = someText(8, 300)
  const trees = Array.from({ length: 100 }, () => new Tree(runner))
  const reading = trees.map((tree, i) => tree.prefill([...shared, i], [], [0]))
  expect(lookUp.mock.calls.length).toBeLessThan(2 * 100 + 10)
  gate.resolve()
  await Promise.all(reading)
  for (const tree of trees) tree.release()
})

test('what a text finds in the prefix cache counts once, and a prompt that is measured finds nothing', async () => {
  const runner = roomy.target
  const counted = async (run: () => Promise<unknown>) => {
    const before = runner.stats
    await run()
    const { prefixQueries, prefixHits } = runner.stats
    return [prefixQueries - before.prefixQueries, prefixHits - before.prefixHits]
  }
  const prompt = someText(9, 500)
  const write = (options: GenerateOptions) => read(start(roomy, { prompt, maxTokens: 2, ...options }))
  expect(await counted(() => write({ promptLogprobs: 0 }))).toEqual([500, 0])
  expect(await counted(() => write({}))).toEqual([499, 499])
})

test('texts that come together and begin alike run what they have in common once', async () => {
  const shared = promptOf(0).toReversed()
  const before = roomy.stats.target!.newTokens
  await Promise.all([10, 11, 12, 13].map((token) => read(start(roomy, { prompt: [...shared, token], maxTokens: 1 }))))
  expect(roomy.stats.target!.newTokens - before).toBe(shared.length + 4)
})
