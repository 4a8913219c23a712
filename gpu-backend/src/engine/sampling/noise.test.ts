import { expect, test } from 'vitest'
import { distribution } from './distribution.ts'
import type { Distribution } from './distribution.ts'
import { TokenNoise } from './noise.ts'

const SEEDS = 20_000
const parameters = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 0 }
const target = distribution(Float32Array.from([1.2, 0.3, -0.5, 0.9, -2, 0.1]), parameters)
const drafter = distribution(Float32Array.from([1, 0.5, -0.4, 0.9, -1.5, 0.3]), parameters)
const probability = (p: Distribution, token: number): number => p.probabilities[p.tokens.indexOf(token)]!

test('each draws exactly from its own distribution (χ², 5 degrees of freedom, 99.99 %)', () => {
  for (const p of [target, drafter]) {
    const counts = [0, 0, 0, 0, 0, 0]
    for (let seed = 0; seed < SEEDS; seed++) counts[new TokenNoise(seed).draw(p, 3)]!++
    const chi = counts.reduce((sum, n, t) => {
      const expected = SEEDS * probability(p, t)
      return sum + (n - expected) ** 2 / expected
    }, 0)
    expect(chi).toBeLessThan(25.7)
  }
})

test('two models draw the same token far more often than independent draws would', () => {
  let same = 0
  for (let seed = 0; seed < SEEDS; seed++) {
    const noise = new TokenNoise(seed)
    if (noise.draw(target, 3) === noise.draw(drafter, 3)) same++
  }
  const overlap = target.tokens.reduce((sum, t) => sum + Math.min(probability(target, t), probability(drafter, t)), 0)
  const independent = target.tokens.reduce((sum, t) => sum + probability(target, t) * probability(drafter, t), 0)
  expect(same / SEEDS).toBeGreaterThan(overlap / (2 - overlap) - 0.01)
  expect(same / SEEDS).toBeGreaterThan(2 * independent)
})

test('other places and seeds draw anew', () => {
  const runs = [1, 2, 2 ** 40 + 1].map((seed) => new TokenNoise(seed))
  const texts = runs.map((noise) => Array.from({ length: 40 }, (_, i) => noise.draw(target, i)).join(' '))
  expect(new Set(texts).size).toBe(3)
  expect(new Set(texts[0]!.split(' ')).size).toBeGreaterThan(2)
})
