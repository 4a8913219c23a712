import { expect, test } from 'vitest'
import { attentionArea, countForward, schedule } from './scheduler.ts'
import type { Starvation, Waiting } from './scheduler.ts'

const text = (keys: number, passed = 0): Waiting => ({ newTokens: 1, keys, urgent: true, passed })
const prompt = (tokens: number, passed = 0): Waiting => ({ newTokens: tokens, keys: tokens, urgent: false, passed })

/** What goes into the next forward: `[place in waiting, tokens]`. */
const next = (waiting: Waiting[], budget = 512) =>
  schedule(waiting, budget).map(({ item, tokens }) => [waiting.indexOf(item), tokens])

test('all that fits goes into one forward', () => {
  expect(next([])).toEqual([])
  expect(next([text(300), text(200), text(250)])).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
  ])
})

test('texts being written come before prompts, and prompts one after another; the last is cut', () => {
  expect(next([prompt(200), prompt(400), { ...text(300), newTokens: 200 }], 600)).toEqual([
    [2, 200],
    [0, 200],
    [1, 200],
  ])
  expect(next([prompt(2000)])).toEqual([[0, 512]])
})

test('a row that would make attention half as expensive again waits for the next forward', () => {
  const many = Array.from({ length: 15 }, () => text(64))
  expect(next([...many, text(2000)]).length).toBe(15)
  expect(next([...many, text(2000)]).flat()).not.toContain(15)
  expect(next([text(64), prompt(500)])).toEqual([[0, 1]])
})

test('who was passed over too often comes first', () => {
  const after = (starved: Starvation) => schedule([text(64), prompt(500)], 512, starved)[0]!.item.urgent
  expect(after({ texts: 0, prompts: 1 })).toBe(true)
  expect(after({ texts: 0, prompts: 2 })).toBe(false)
  expect(after({ texts: 1, prompts: 2 })).toBe(true)
  expect(next([text(64), text(2000, 2)])).toEqual([[1, 1]])
})

/** Chooses forwards while `goOn` says so, with texts that go on for ever. @returns how many, and the tokens of texts */
function run(texts: Waiting[], prompts: Waiting[], goOn: (forwards: number) => boolean) {
  const starved = { texts: 0, prompts: 0 }
  let [forwards, written, longest] = [0, 0, 0]
  for (; goOn(forwards); forwards++) {
    const waiting = [...texts, ...prompts.filter(({ newTokens }) => newTokens > 0)]
    const chunks = schedule(waiting, 64, starved)
    countForward(waiting, chunks, 64, starved)
    written += chunks.filter(({ item }) => item.urgent).length
    for (const { item, tokens } of chunks) if (!item.urgent) item.newTokens -= tokens
    longest = Math.max(longest, ...prompts.filter(({ newTokens }) => newTokens > 0).map(({ passed }) => passed))
  }
  return { forwards, written, longest }
}

test('prompts take turns, and every other forward at least is one of texts', () => {
  const prompts = Array.from({ length: 16 }, () => prompt(10_000))
  const { forwards, written, longest } = run([text(200), text(200)], prompts, (n) => n < 200)
  expect(written / 2).toBeGreaterThanOrEqual(forwards / 2)
  expect(longest).toBeLessThan(3 * 16)
})

test('a prompt gets on however many texts are being written', () => {
  for (const texts of [32, 60, 63, 64]) {
    const long = prompt(1000)
    const { forwards } = run(
      Array.from({ length: texts }, () => text(64)),
      [long],
      () => long.newTokens > 0,
    )
    expect(forwards, `${texts} texts`).toBeLessThan(60)
  }
})

test('whatever comes, nobody waits for long, no forward is too large, and padding stays bounded', () => {
  let seed = 1
  const random = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n
  const waiting: (Waiting & { arrival: number })[] = []
  const starved = { texts: 0, prompts: 0 }
  let [useful, padded] = [0, 0]
  for (let forward = 0; forward < 2000; forward++) {
    while (waiting.length < 12) {
      const newTokens = random(3) > 0 ? 1 + random(9) : 1 + random(1500)
      waiting.push({ newTokens, keys: newTokens + random(2000), urgent: newTokens < 10, passed: 0, arrival: forward })
    }
    const chunks = schedule(waiting, 256, starved)
    expect(chunks.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(256)
    expect(chunks.length).toBeGreaterThan(0)
    const area = attentionArea(chunks)
    useful += area.useful
    padded += area.padded
    countForward(waiting, chunks, 256, starved)
    for (const { item, tokens } of chunks) item.newTokens -= tokens
    for (const item of waiting) expect(item.passed).toBeLessThanOrEqual(3 * 12)
    waiting.splice(0, waiting.length, ...waiting.filter((item) => item.newTokens > 0))
  }
  expect(padded / useful).toBeLessThan(2)
})
