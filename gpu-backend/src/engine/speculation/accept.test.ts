import { describe, expect, test } from 'vitest'
import { distribution, sample } from '../sampling/distribution.ts'
import type { Distribution, SamplingParameters } from '../sampling/distribution.ts'
import { Random } from '../sampling/random.ts'
import { couplingSampler, rejectionSampler } from './accept.ts'
import { TokenNoise } from '../sampling/noise.ts'

const neutral: SamplingParameters = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 0 }
const SEEDS = 20_000
/** 99.99 % point of χ² with 5 degrees of freedom: with fixed seeds this never fails by chance. */
const CRITICAL = 25.7

const target = Float32Array.from([1.2, 0.3, -0.5, 0.9, -2, 0.1])
const drafter = Float32Array.from([0.2, 1.3, 0.5, -0.9, 1, 0.4])

function chiSquare(counts: number[], p: Distribution): number {
  const total = counts.reduce((a, b) => a + b)
  return counts.reduce((sum, observed, token) => {
    const at = p.tokens.indexOf(token)
    if (at < 0) return observed === 0 ? sum : Infinity
    const expected = total * p.probabilities[at]!
    return sum + (observed - expected) ** 2 / expected
  }, 0)
}

describe('speculation draws exactly from the target', () => {
  const settings: [string, Partial<SamplingParameters>][] = [
    ['temperature 1', {}],
    ['temperature 0.6, top-p 0.95', { temperature: 0.6, topP: 0.95 }],
    ['top-k 3', { topK: 3 }],
    ['min-p 0.3', { minP: 0.3 }],
    ['all together', { temperature: 1.4, topK: 5, topP: 0.9, minP: 0.05 }],
  ]
  test.each(settings)('%s', (_name, setting) => {
    const parameters = { ...neutral, ...setting }
    const p = distribution(target, parameters)
    const q = distribution(drafter, parameters)
    const plain = [0, 0, 0, 0, 0, 0]
    const drafted = [0, 0, 0, 0, 0, 0]
    const certain = [0, 0, 0, 0, 0, 0]
    for (let seed = 0; seed < SEEDS; seed++) {
      plain[sample(p, new Random(seed, 0).next())]!++
      const token = sample(q, new Random(seed, 1).next())
      const first = (guess: { token: number; q?: Distribution }): number => {
        const { accepted, next } = rejectionSampler(new Random(seed, 2))([guess], () => p, 0, false)
        return accepted === 1 ? guess.token : next!
      }
      drafted[first({ token, q })]!++
      certain[first({ token: 1 })]!++
    }
    expect(chiSquare(plain, p)).toBeLessThan(CRITICAL)
    expect(chiSquare(drafted, p)).toBeLessThan(CRITICAL)
    expect(chiSquare(certain, p)).toBeLessThan(CRITICAL)
  })

  test('every place in a proposal has its own distribution, and so has the token after it', () => {
    const turned = (logits: Float32Array, by: number) => logits.map((_, i) => logits[(i + by) % logits.length]!)
    const p = (place: number) => distribution(turned(target, place), neutral)
    const q = (place: number) => distribution(turned(drafter, place), neutral)
    const counts = [0, 1, 2, 3].map(() => [0, 0, 0, 0, 0, 0])
    for (let seed = 0; seed < SEEDS; seed++) {
      const guesses = [0, 1, 2].map((place) => ({
        token: sample(q(place), new Random(seed, 1, place).next()),
        q: q(place),
      }))
      const { accepted, next } = rejectionSampler(new Random(seed, 2))(guesses, p, 0, true)
      for (const [place, { token }] of guesses.slice(0, accepted).entries()) counts[place]![token]!++
      counts[accepted]![next!]!++
    }
    for (const [place, own] of counts.entries()) expect(chiSquare(own, p(place))).toBeLessThan(CRITICAL)
  })

  test('coupling agrees as often as any exact scheme can: Σ min(p, q)', () => {
    const p = distribution(target, neutral)
    const q = distribution(drafter, neutral)
    const best = p.tokens.reduce(
      (sum, t, i) => sum + Math.min(p.probabilities[i]!, q.probabilities[q.tokens.indexOf(t)]!),
      0,
    )
    let agreed = 0
    for (let seed = 0; seed < SEEDS; seed++) {
      const token = sample(q, new Random(seed, 1).next())
      agreed += rejectionSampler(new Random(seed, 2))([{ token, q }], () => p, 0, false).accepted
    }
    expect(agreed / SEEDS).toBeCloseTo(best, 1)
    expect(Math.abs(agreed / SEEDS - best)).toBeLessThan(0.012)
  })

  test('greedy accepts the likeliest token and nothing else', () => {
    const p = distribution(target, { ...neutral, temperature: 0 })
    for (let seed = 0; seed < 100; seed++)
      for (let token = 0; token < target.length; token++) {
        const { accepted, next } = rejectionSampler(new Random(seed))([{ token }], () => p, 0, true)
        expect([accepted, next]).toEqual(token === 0 ? [1, 0] : [0, 0])
      }
  })
})

describe('coupled by the noise of each place', () => {
  const p = (place: number) =>
    distribution(
      target.map((logit, i) => logit * (1 + ((place + i) % 3))),
      neutral,
    )

  test('the tokens are the same whatever was guessed, and draw exactly from the target', () => {
    const counts = [0, 0, 0, 0, 0, 0]
    for (let seed = 0; seed < SEEDS; seed++) {
      const draw = couplingSampler(new TokenNoise(seed))
      const { next: plain } = draw([], () => p(0), 9, true)
      for (const token of [0, plain!]) {
        const { accepted, next } = draw([{ token }], p, 9, true)
        expect(accepted === 1 ? token : next).toBe(plain)
        expect(accepted).toBe(token === plain ? 1 : 0)
        if (accepted === 1) expect(next).toBe(draw([], () => p(1), 10, true).next)
      }
      counts[plain!]!++
    }
    expect(chiSquare(counts, p(0))).toBeLessThan(CRITICAL)
  })

  test('it keeps nearly as many guesses of a draft that draws with the same noise as can be kept', () => {
    const [own, q] = [distribution(target, neutral), distribution(drafter, neutral)]
    const best = own.tokens.reduce(
      (sum, t, i) => sum + Math.min(own.probabilities[i]!, q.probabilities[q.tokens.indexOf(t)]!),
      0,
    )
    let agreed = 0
    for (let seed = 0; seed < SEEDS; seed++) {
      const noise = new TokenNoise(seed)
      agreed += couplingSampler(noise)([{ token: noise.draw(q, 4) }], () => own, 4, false).accepted
    }
    expect(agreed / SEEDS).toBeGreaterThan(best / (2 - best) - 0.01)
  })
})

describe('distribution', () => {
  test('top-p keeps the likeliest tokens that reach it, and one at least', () => {
    const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05].map(Math.log))
    expect(distribution(logits, { ...neutral, topP: 0.79 }).tokens).toEqual([0, 1])
    expect(distribution(logits, { ...neutral, topP: 0.81 }).tokens).toEqual([0, 1, 2])
    expect(distribution(logits, { ...neutral, topP: 0 }).tokens).toEqual([0])
    expect(distribution(logits, { ...neutral, topK: 2 }).probabilities[0]).toBeCloseTo(0.625)
    expect(distribution(logits, { ...neutral, minP: 0.4 }).tokens).toEqual([0, 1])
  })

  test('same seed, same numbers; another stream, others', () => {
    const draw = (...key: [number, ...number[]]) =>
      Array.from(
        { length: 4 },
        (
          (r) => () =>
            r.next()
        )(new Random(...key)),
      )
    expect(draw(7, 1)).toEqual(draw(7, 1))
    expect(draw(7, 1)).not.toEqual(draw(7, 2))
    expect(draw(7 + 2 ** 32, 1)).not.toEqual(draw(7, 1))
  })
})
