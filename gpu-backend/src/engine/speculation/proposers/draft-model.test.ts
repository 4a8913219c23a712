import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { causalRow } from '../../../model/index.ts'
import { Engine } from '../../engine.ts'
import { distribution } from '../../sampling/distribution.ts'
import type { SamplingParameters } from '../../sampling/distribution.ts'
import { TokenNoise } from '../../sampling/noise.ts'
import { Random } from '../../sampling/random.ts'
import { Tree } from '../../decode/tree.ts'
import { DraftModel } from './draft-model.ts'
import { Lengths, chooseSpeculator } from '../index.ts'

const models = path.join(import.meta.dirname, '../../../../models')
const greedy: SamplingParameters = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 }

let engine: Engine
let text: number[]
beforeAll(async () => {
  engine = await Engine.load({ models, slots: 2048 })
  const { tokenizer } = engine.target.model
  const messages = [{ role: 'user', content: 'Ann has 12 apples and eats 3. How many are left?' }]
  text = tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: true }))
})
afterAll(() => engine.close())
afterEach(() => {
  const { kv, batcher } = engine.draft!
  kv.assertIdle()
  expect(batcher.running).toBe(0)
})

function draftModel(signal = new AbortController().signal, optional = false): DraftModel {
  return new DraftModel({
    runner: engine.draft!,
    vocabulary: engine.target.model.config.vocabSize,
    distribution: (logits) => distribution(logits, greedy),
    noise: new TokenNoise(1),
    guesses: engine.guesses,
    target: engine.target.batcher,
    tree: { signal, optional },
  })
}

const tokensOf = (guesses: readonly { token: number }[]): number[] => guesses.map(({ token }) => token)

/** What a draft model that remembers nothing guesses. */
async function afresh(after: readonly number[], most: number): Promise<number[]> {
  const draft = draftModel()
  const guesses = tokensOf(await draft.propose(after, most))
  draft.close()
  return guesses
}

test('whatever became of its guesses, it guesses as if it had read the text anew', async () => {
  const draft = draftModel()
  const random = new Random(7)
  let written = text
  for (let round = 0; round < 12; round++) {
    const guesses = tokensOf(await draft.propose(written, 5))
    expect(guesses).toEqual(await afresh(written, 5))
    const accepted = Math.floor(random.next() * 6)
    const next = accepted === 5 && round % 2 === 0 ? [] : [round + 40]
    written = [...written, ...guesses.slice(0, accepted), ...next]
  }
  draft.close()
  draft.close()
})

test('between proposals it runs only what is new', async () => {
  const draft = draftModel()
  const guesses = tokensOf(await draft.propose(text, 4))
  const before = engine.stats.draft!.newTokens
  await draft.propose([...text, ...guesses, 40], 4)
  // The last guess, the token after it, and three of the next guesses.
  expect(engine.stats.draft!.newTokens - before).toBe(5)
  draft.close()
})

test('several texts guess in common forwards', async () => {
  const drafts = Array.from({ length: 4 }, () => draftModel())
  const texts = drafts.map((_, i) => [...text, 40 + i])
  await Promise.all(drafts.map((draft, i) => draft.propose(texts[i]!, 1)))
  const before = engine.stats.draft!.forwards
  const guesses = await Promise.all(drafts.map((draft, i) => draft.propose([...texts[i]!, 50], 6)))
  expect(engine.stats.draft!.forwards - before).toBe(6)
  for (const draft of drafts) draft.close()
  for (const [i, own] of guesses.entries()) expect(tokensOf(own)).toEqual(await afresh([...texts[i]!, 50], 6))
})

test('nor for one that gave its slots back and reads its text again, or waits for the prompts of others', async () => {
  const expecting = vi.spyOn(engine.target.batcher, 'expect')
  const draft = draftModel(new AbortController().signal, true)
  const long = Array.from({ length: 1500 }, (_, i) => i % 1000)
  await draft.propose(long, 1)
  const other = new Tree(engine.draft!)
  await other.prefill(long.toReversed(), [], [0])
  other.release()
  expect((await draft.propose([...long, 5], 1)).length).toBe(1)
  const prompts = Array.from({ length: 2 }, () => new Tree(engine.draft!))
  const gate = Promise.withResolvers<void>()
  const served = engine.draft!.model
  const forward = served.forward.bind(served)
  vi.spyOn(served, 'forward').mockImplementationOnce(async (rows) => (await gate.promise, forward(rows)))
  const reading = prompts.map((tree, i) => tree.prefill([i, ...long.slice(0, 200)], [], [0]))
  await setImmediate()
  const late = draftModel(new AbortController().signal, true)
  const guesses = late.propose(text, 1)
  gate.resolve()
  await Promise.all([guesses, ...reading])
  expect(expecting).not.toHaveBeenCalled()
  for (const tree of prompts) tree.release()
  for (const model of [draft, late]) model.close()
  vi.restoreAllMocks()
})

test('the target does not wait for a draft that reads a prompt in several forwards', async () => {
  const draft = draftModel(new AbortController().signal, true)
  const long = Array.from({ length: 3 * engine.draft!.batcher.budget }, (_, i) => i % 1000)
  let isRead = false
  const guesses = draft.propose(long, 1).finally(() => (isRead = true))
  await engine.target.batcher.run([causalRow([5], [0])])
  expect(isRead).toBe(false)
  expect((await guesses).length).toBe(1)
  draft.close()
})

test('a text that stands in no slots, since it gave them back, asks what it would cost alone', async () => {
  expect(engine.target.batcher.running).toBe(0)
  const rows: number[] = []
  const forward = (...[of]: [number, number]): number => (rows.push(of), 1)
  vi.spyOn(engine, 'costsOf').mockReturnValue({ forward, guess: () => 0.1 })
  const speculator = chooseSpeculator(engine, new Lengths(), {
    runner: engine.target,
    ngram: 8,
    draft: 0,
    arrival: 1,
    distribution: (scores) => distribution(scores, greedy),
    reduced: undefined,
    noise: new TokenNoise(1),
    signal: new AbortController().signal,
  })
  expect((await speculator.propose([1, 2, 3, 1, 2], 8)).length).toBeGreaterThan(0)
  expect(Math.min(...rows)).toBe(1)
  vi.restoreAllMocks()
})

test('one that waits for slots goes on once they are there, also where all it kept is shared', async () => {
  const { model, kv } = engine.draft!
  const { pool, queue } = kv
  const draft = draftModel()
  const older = new Tree(engine.draft!, { arrival: 0, most: 2000 })
  const leaf = older.leaf(0)
  await older.prefill(text.toReversed(), [], [0])
  const forward = model.forward.bind(model)
  let forwards = 0
  let takes: Promise<unknown> | undefined
  vi.spyOn(model, 'forward').mockImplementation((rows) => {
    // While the seventh guess is made, the older text takes all there is.
    if (++forwards === 7) takes = older.advance([{ leaf, tokens: Array.from({ length: pool.available }, () => 7) }])
    return forward(rows)
  })
  const { preemptions } = queue
  const proposed = draft.propose(text, 8)
  await expect.poll(() => queue.preemptions, { interval: 1 }).toBe(preemptions + 1)
  await takes
  older.release()
  const [first] = await proposed
  expect((await draft.propose([...text, (first!.token + 1) % 1000], 8)).length).toBe(8)
  draft.close()
  vi.restoreAllMocks()
})

test('a draft that fails guesses nothing more, and gives its slots back', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const draft = draftModel()
  await draft.propose(text, 2)
  const forward = vi.spyOn(engine.draft!.model, 'forward').mockRejectedValue(new Error('staged'))
  expect(await draft.propose([...text, 40], 2)).toEqual([])
  forward.mockRestore()
  engine.draft!.kv.pool.check([], engine.draft!.kv.prefixes.slots())
  expect(await draft.propose([...text, 40, 41], 2)).toEqual([])
  expect(draft.silent).toBe(true)
  expect(log.mock.calls.map(([line]) => JSON.parse(line as string))).toMatchObject([{ event: 'draft.failed' }])
  log.mockRestore()
})

test('a text as long as the draft can read gets no guesses', async () => {
  const draft = draftModel()
  const { maxPositions } = engine.draft!.model.config
  expect(
    await draft.propose(
      Array.from({ length: maxPositions }, () => 40),
      4,
    ),
  ).toEqual([])
  draft.close()
})

test('an aborted request is no failure of the draft', async () => {
  const abort = new AbortController()
  const draft = draftModel(abort.signal)
  const proposal = draft.propose(text, 8)
  abort.abort(new Error('left'))
  await expect(proposal).rejects.toThrow('left')
  draft.close()
})

test('it guesses no further than it can read', async () => {
  const { capacity } = engine.draft!
  const long = Array.from({ length: capacity - 2 }, (_, i) => text[i % text.length]!)
  const draft = draftModel()
  expect(await draft.propose(long, 5)).toHaveLength(2)
  expect(draft.silent).toBe(false)
  draft.close()
})
