import { describe, expect, test } from 'vitest'
import { topCount } from '../../graph/index.ts'
import type { TopScores } from '../../model/index.ts'
import { distribution, reduction, samplingParameters } from './distribution.ts'
import type { SamplingParameters } from './distribution.ts'
import { Random } from './random.ts'

const VOCABULARY = 400
const neutral: SamplingParameters = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 0 }

/** Tokens, the likeliest first, of equals the lower id. */
const byLikelihood = (logits: Float32Array): number[] =>
  [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]! || a - b)

/** What a device gives in place of the row, computed here in the plainest way. */
function reduced(logits: Float32Array, temperature: number): TopScores {
  const order = byLikelihood(logits).slice(0, topCount(logits.length))
  const greatest = logits[order[0]!]!
  const weight = logits.reduce((sum, logit) => sum + Math.exp((logit - greatest) / temperature), 0)
  return {
    tokens: Int32Array.from(order),
    logits: Float32Array.from(order, (token) => logits[token]!),
    weight: Math.fround(weight),
    vocabulary: logits.length,
  }
}

/** Rows as models give them, from peaked to flat; some with many equal logits. */
function row(random: Random): Float32Array {
  const spread = [0.02, 1, 3, 8][Math.floor(random.next() * 4)]!
  const step = random.next() < 0.3 ? spread / 2 : 0
  return Float32Array.from({ length: VOCABULARY }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
    return step ? Math.round((spread * normal) / step) * step : spread * normal
  })
}

const oneOf = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random.next() * values.length)]!

describe('the likeliest tokens stand for the whole row', () => {
  test('whatever the row and the parameters: the same tokens in the same order, as likely, or the row is asked for', () => {
    const random = new Random(1)
    const seen = { settled: 0, whole: 0 }
    for (let round = 0; round < 4000; round++) {
      const logits = row(random)
      const parameters: SamplingParameters = {
        temperature: oneOf(random, [0, 0.05, 0.3, 0.6, 1, 1.5]),
        topK: oneOf(random, [0, 0, 1, 5, 20, 63, 64, 65, 200]),
        topP: oneOf(random, [0, 0.5, 0.8, 0.95, 0.999, 1]),
        minP: oneOf(random, [0, 0, 0.02, 0.3]),
        seed: 0,
      }
      const asked = reduction(parameters)
      const top = reduced(logits, asked?.temperature ?? 1)
      if (!asked?.suffices(top)) {
        seen.whole++
        continue
      }
      seen.settled++
      const expected = distribution(logits, parameters)
      const own = distribution(top, parameters)
      expect(own.tokens, JSON.stringify({ round, parameters })).toEqual(expected.tokens)
      for (const [i, p] of own.probabilities.entries())
        expect(Math.abs(p - expected.probabilities[i]!)).toBeLessThan(1e-6)
    }
    expect(Math.min(seen.settled, seen.whole)).toBeGreaterThan(800)
  })

  const suffices = (logits: Float32Array, parameters: Partial<SamplingParameters>): boolean | undefined => {
    const asked = reduction({ ...neutral, ...parameters })
    return asked?.suffices(reduced(logits, asked.temperature))
  }
  const flat = new Float32Array(VOCABULARY)
  const falling = Float32Array.from({ length: VOCABULARY }, (_, i) => -i / 10)

  test('where nothing is cut off, whole rows are wanted from the start', () => {
    expect(reduction(neutral)).toBeUndefined()
    expect(reduction({ ...neutral, temperature: 0 })).toMatchObject({ temperature: 1 })
  })

  test('tokens as likely as the last one found may be missing', () => {
    for (const parameters of [{ temperature: 0 }, { topK: 5 }, { topP: 0.01 }, { minP: 1 }])
      expect(suffices(flat, parameters)).toBe(false)
    expect(suffices(falling, { topK: 63 })).toBe(true)
    expect(suffices(falling, { topK: 64 })).toBe(false)
    // The last but one of those found is as likely as the last: only 62 are certain.
    const pair = falling.with(63, falling[62]!)
    expect(suffices(pair, { topK: 62 })).toBe(true)
    expect(suffices(pair, { topK: 63 })).toBe(false)
  })

  test('top-p and min-p count what lies beyond the last', () => {
    const mass = (count: number) => (1 - Math.exp(-count / 10)) / (1 - Math.exp(-VOCABULARY / 10))
    expect(suffices(falling, { topP: mass(61.5) })).toBe(true)
    expect(suffices(falling, { topP: mass(70) })).toBe(false)
    expect(suffices(falling, { minP: Math.exp(-6.15) })).toBe(true)
    expect(suffices(falling, { minP: Math.exp(-6.35) })).toBe(false)
    // top-p is taken of what top-k leaves.
    expect(suffices(falling, { topK: 20, topP: 0.999 })).toBe(true)
    // A device's sum is not so exact that it could tell on which side of these 10 tokens' mass top-p lies.
    expect(suffices(falling, { topP: mass(10) })).toBe(false)
  })

  test('a small vocabulary is found whole', () => {
    const logits = Float32Array.from([0.5, 0.3, 0.3, 0.05])
    const parameters = { ...neutral, topP: 0.99 }
    const top = reduced(logits, 1)
    expect(reduction(parameters)!.suffices(top)).toBe(true)
    expect(distribution(top, parameters).tokens).toEqual(distribution(logits, parameters).tokens)
  })
})

test('top-k of a whole row, however large: the likeliest, the lower id first', () => {
  const random = new Random(2)
  for (let round = 0; round < 50; round++) {
    const logits = Float32Array.from({ length: 5000 }, () => Math.floor(random.next() * 400) / 40)
    const topK = 1 + Math.floor(random.next() * 120)
    const expected = byLikelihood(logits).slice(0, topK)
    expect(distribution(logits, { ...neutral, topK }).tokens).toEqual(expected)
  }
})

test('temperatures as good as 0 give the likeliest token; logits that are no numbers are refused', () => {
  const draw = (logits: Float32Array) => distribution(logits, { ...neutral, temperature: 1e-17 })
  expect(draw(Float32Array.of(1, 20, 3))).toEqual({ tokens: [1], probabilities: [1] })
  for (const value of [NaN, Infinity]) expect(() => draw(Float32Array.of(value, value))).toThrow('not finite')
})

test('settings without measure, and flat rows, leave the likeliest; what is no number is an error at temperature 0 too', () => {
  const logits = Float32Array.of(1, 5, 3, 2)
  for (const limit of [{ topP: 0 }, { topK: 1 }]) {
    const parameters = samplingParameters({ temperature: 1e20, ...limit }, { eosTokenIds: [] }, 0)
    expect(distribution(logits, parameters).tokens).toEqual([1])
  }
  expect(distribution(new Float32Array(10).fill(1), { ...neutral, topP: 0 }).tokens).toEqual([0])
  const broken = new Float32Array(10).fill(NaN)
  for (const temperature of [0, 1]) expect(() => distribution(broken, { ...neutral, temperature })).toThrow(RangeError)
})
