import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { causalRow } from '../../model/index.ts'
import type { Row } from '../../model/index.ts'
import { likeliest } from '../sampling/distribution.ts'
import type { ModelRunner } from '../model-runner.ts'
import { Engine } from '../engine.ts'
import { Meter } from './meter.ts'
import { Tree } from '../decode/tree.ts'

const BATCH_TOKENS = 64

let engine: Engine
let runner: ModelRunner
beforeAll(async () => {
  const models = path.join(import.meta.dirname, '../../../models')
  engine = await Engine.load({ models, slots: 4096, batchTokens: BATCH_TOKENS })
  runner = engine.target
})
afterAll(() => engine.close())
afterEach(() => {
  vi.restoreAllMocks()
  runner.kv.assertIdle()
  runner.kv.prefixes.evict(Infinity)
  expect(runner.kv.pool.free).toBe(runner.kv.pool.size)
  expect(runner.stats).toMatchObject({ running: 0, waiting: 0 })
})

/** Some prompt; two of them differ from the first token on. */
const prompt = (seed: number, length: number): number[] => Array.from({ length }, (_, i) => (seed * 97 + i * 31) % 1200)

/** Greedy decoding. */
async function write(text: readonly number[], count: number, signal?: AbortSignal): Promise<number[]> {
  const tree = new Tree(runner, { signal })
  const output: number[] = []
  try {
    const leaf = tree.leaf(0)
    let [scores] = await tree.prefill(text, [], [0])
    for (;;) {
      output.push(likeliest(scores!))
      if (output.length === count) break
      scores = (await tree.advance([{ leaf, tokens: output.slice(-1) }]))[0]![0]
    }
    tree.commit(0, leaf)
    return output
  } finally {
    tree.release()
  }
}

/** New tokens per row of each forward from now on. */
function watchForwards(): number[][] {
  const forwards: number[][] = []
  const forward = runner.model.forward.bind(runner.model)
  vi.spyOn(runner.model, 'forward').mockImplementation((rows) => {
    forwards.push(rows.map((row) => row.tokens.length))
    return forward(rows)
  })
  return forwards
}

test('eight texts at once take few more forwards than one, and come out as each does alone', async () => {
  const prompts = Array.from({ length: 8 }, (_, i) => prompt(i, 8))
  const alone: number[][] = []
  const forwards = watchForwards()
  for (const text of prompts) alone.push(await write(text, 30))
  expect(forwards.length).toBe(8 * 30)
  runner.kv.prefixes.evict(Infinity)
  forwards.length = 0
  expect(await Promise.all(prompts.map((text) => write(text, 30)))).toEqual(alone)
  expect(forwards.length).toBeLessThan(2 * 30)
})

const row = (slot: number): Row => causalRow([slot], [slot])

/** Of the event loop: what was to begin in its next one has begun. */
async function twoTurns(): Promise<void> {
  await setImmediate()
  await setImmediate()
}

test('forwards wait for a text that guesses, so that it shares them', async () => {
  const forwards = watchForwards()
  const arrived = runner.batcher.expect()
  const first = runner.batcher.run([row(0)])
  await twoTurns()
  expect(forwards).toEqual([])
  const second = runner.batcher.run([row(1)])
  arrived()
  await Promise.all([first, second])
  expect(forwards).toEqual([[1, 1]])
})

test('a forward that was about to start waits for a text that begins to guess', async () => {
  const forwards = watchForwards()
  const leave = [runner.batcher.enter(), runner.batcher.enter()]
  try {
    const first = runner.batcher.run([row(0)])
    const arrived = runner.batcher.expect()
    await twoTurns()
    const second = runner.batcher.run([row(1)])
    arrived()
    await Promise.all([first, second])
    expect(forwards).toEqual([[1, 1]])
  } finally {
    for (const end of leave) end()
  }
})

test('one text alone is never made to wait for the event loop', async () => {
  const turn = vi.spyOn(globalThis, 'setImmediate')
  const { model } = runner
  const logits = new Float32Array(model.config.vocabSize)
  vi.spyOn(model, 'forward').mockImplementation(() => Promise.resolve([logits]))
  await write(prompt(1, 8), 10)
  expect(turn).not.toHaveBeenCalled()
})

test('a long prompt goes in chunks, and texts being written go on meanwhile', async () => {
  const long = prompt(1, 1000)
  const reference = await write(long, 5)
  runner.kv.prefixes.evict(Infinity)
  const forwards = watchForwards()
  const [, output] = await Promise.all([write(prompt(2, 8), 20), write(long, 5)])
  expect(output).toEqual(reference)
  expect(Math.max(...forwards.map((rows) => rows.reduce((a, b) => a + b)))).toBeLessThanOrEqual(BATCH_TOKENS)
  const lastChunk = forwards.findLastIndex((rows) => rows.some((n) => n > 8))
  const singles = forwards.slice(0, lastChunk).filter((rows) => rows.includes(1))
  expect(singles.length).toBeGreaterThan(15)
})

test('a prompt that others have run before is run no more but for its last token', async () => {
  const shared = prompt(3, 50)
  const first = await write([...shared, 7, 8, 9], 4)
  const forwards = watchForwards()
  expect(await write([...shared, 7, 8, 9], 4)).toEqual(first)
  await write([...shared, 1, 2], 1)
  await write([...shared, 7, 8, 9, ...first.slice(0, -1), 5], 1)
  expect(forwards.map(([n]) => n)).toEqual([1, 1, 1, 1, 2, 1])
  expect(runner.stats.prefixHits).toBeGreaterThanOrEqual(52 + 50 + 56)
})

test('a failed forward fails the texts in it and no other', async () => {
  const texts = [prompt(4, BATCH_TOKENS), prompt(5, BATCH_TOKENS)]
  const reference = await write(texts[1]!, 3)
  runner.kv.prefixes.evict(Infinity)
  vi.spyOn(runner.model, 'forward').mockRejectedValueOnce(new Error('staged'))
  const [failed, other] = await Promise.allSettled(texts.map((text) => write(text, 3)))
  expect(failed).toMatchObject({ status: 'rejected', reason: new Error('staged') })
  expect(other).toEqual({ status: 'fulfilled', value: reference })
})

test('rows that no forward would take fail their own call and no other', async () => {
  const wrong = { ...row(0), sees: [[[0, 2]]] } satisfies Row
  const calls = [row(1), wrong, row(2)].map((it) => runner.batcher.run([it]))
  const [before, failed, after] = await Promise.allSettled(calls)
  expect(failed).toMatchObject({ status: 'rejected', reason: expect.any(RangeError) })
  expect([before!.status, after!.status]).toEqual(['fulfilled', 'fulfilled'])
})

test('whoever leaves while waiting takes part in no further forward', async () => {
  const abort = new AbortController()
  const forwards = watchForwards()
  const leaver = write(prompt(6, 10 * BATCH_TOKENS), 5, abort.signal)
  const rest = write(prompt(7, 8), 3)
  await expect.poll(() => forwards.length, { interval: 1 }).toBeGreaterThan(0)
  abort.abort(new Error('left'))
  await expect(leaver).rejects.toThrow('left')
  await rest
  expect(forwards.filter(([n]) => n! > 8).length).toBeLessThanOrEqual(2)
})

test('a forward that several share is metered by their tokens', async () => {
  const forwards = watchForwards()
  const meters = [new Meter(), new Meter()]
  const trees = meters.map((meter) => new Tree(runner, { meter }))
  try {
    await Promise.all(trees.map((tree, i) => tree.prefill(prompt(40 + i, 10 * (i + 1)), [], [0])))
    expect(forwards).toEqual([[10, 20]])
    const [first, second] = meters.map((meter) => meter.take())
    expect(second!.ms).toBeCloseTo(2 * first!.ms, 6)
    expect([first!.load, second!.load]).toEqual([2, 2])
    expect(meters[0]!.take()).toEqual({ ms: 0, load: 0 })
  } finally {
    for (const tree of trees) tree.release()
  }
})
