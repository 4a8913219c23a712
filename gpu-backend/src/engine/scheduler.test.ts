import { expect, test } from 'vitest'
import { attentionArea, schedule } from './scheduler.ts'
import type { Waiting } from './scheduler.ts'

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

test('whoever was passed over twice comes first', () => {
  expect(next([text(64), prompt(500, 1)])).toEqual([[0, 1]])
  expect(next([text(64), prompt(500, 2)])).toEqual([[1, 500]])
  expect(next([text(64, 2), prompt(500, 3)])).toEqual([[1, 500]])
})

test('whatever comes, nobody waits for long, no forward is too large, and padding stays bounded', () => {
  let seed = 1
  const random = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n
  const waiting: (Waiting & { arrival: number })[] = []
  let [useful, padded] = [0, 0]
  for (let forward = 0; forward < 2000; forward++) {
    while (waiting.length < 12) {
      const newTokens = random(3) > 0 ? 1 + random(9) : 1 + random(1500)
      waiting.push({ newTokens, keys: newTokens + random(2000), urgent: newTokens < 10, passed: 0, arrival: forward })
    }
    const chunks = schedule(waiting, 256)
    expect(chunks.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(256)
    expect(chunks.length).toBeGreaterThan(0)
    const area = attentionArea(chunks)
    useful += area.useful
    padded += area.padded
    for (const item of waiting) item.passed++
    for (const { item, tokens } of chunks) Object.assign(item, { newTokens: item.newTokens - tokens, passed: 0 })
    for (const item of waiting) expect(item.passed).toBeLessThanOrEqual(12 + 2)
    waiting.splice(0, waiting.length, ...waiting.filter((item) => item.newTokens > 0))
  }
  expect(padded / useful).toBeLessThan(2)
})
