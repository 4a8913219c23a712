import { describe, expect, test } from 'vitest'
import type { TopScores } from '../../model/index.ts'
import { Random } from '../sampling/random.ts'
import { isLikely, tellingLikely, tellsLikely } from './likelihood.ts'

const LEAST = -6
const random = new Random(5)

/** Logits `[vocabulary]` from flat (0.5) to sharp (12). */
const row = (vocabulary: number, spread: number): Float32Array =>
  Float32Array.from({ length: vocabulary }, () => spread * Math.sqrt(-2 * Math.log1p(-random.next())))

function top(logits: Float32Array, count: number, temperature: number): TopScores {
  const tokens = [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]! || a - b)
  const best = logits[tokens[0]!]!
  return {
    tokens: Int32Array.from(tokens.slice(0, count)),
    logits: Float32Array.from(tokens.slice(0, count), (token) => logits[token]!),
    weight: Math.fround(logits.reduce((sum, logit) => sum + Math.exp((logit - best) / temperature), 0)),
    vocabulary: logits.length,
  }
}

/** Of each token, by the definition. */
function likely(logits: Float32Array): boolean[] {
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0)
  return Array.from(logits, (logit) => Math.log(Math.exp(logit) / total) >= LEAST)
}

test('a token is likely by its share of the whole vocabulary at temperature 1', () => {
  // 1 in 1 + 999·e^-7.
  const logits = new Float32Array(1000)
  logits[3] = 7
  expect(isLikely(logits, 3, -0.65)).toBe(true)
  expect(isLikely(logits, 3, -0.64)).toBe(false)
  expect(isLikely(logits, 4, -7.65)).toBe(true)
  expect(isLikely(logits, 4, -7.64)).toBe(false)
})

describe.each([0.05, 0.3, 0.6, 1, 1.3, 2])('the likeliest tokens, weighed at temperature %d', (temperature) => {
  test('say of every token what the whole row says, wherever they say that they do', () => {
    const told = { yes: 0, no: 0 }
    for (let n = 0; n < 120; n++) {
      const logits = row(200 + 40 * (n % 20), [0.5, 1, 2, 4, 8, 12][n % 6]!)
      const scores = top(logits, 64, temperature)
      const tells = tellsLikely(scores, temperature, LEAST)
      told[tells ? 'yes' : 'no']++
      if (tells) expect(Array.from(logits, (_, token) => isLikely(scores, token, LEAST))).toEqual(likely(logits))
    }
    expect(told.yes).toBeGreaterThan(40)
    expect(told.no).toBeGreaterThan(5)
  })
})

test('a whole vocabulary tells everything; one whose last known token is likely does not', () => {
  const flat = new Float32Array(80)
  expect(tellsLikely(top(flat, 80, 0.6), 0.6, LEAST)).toBe(true)
  expect(tellsLikely(top(flat, 64, 0.6), 0.6, LEAST)).toBe(false)
})

test('the likeliest tokens stand for a whole row where they are enough both to draw from and to tell', () => {
  const [telling, silent] = [80, 64].map((count) => top(new Float32Array(80), count, 0.6)) as [TopScores, TopScores]
  const asked = (isEnough: boolean) => tellingLikely({ temperature: 0.6, suffices: () => isEnough }, LEAST)!
  expect(asked(true)).toMatchObject({ temperature: 0.6 })
  expect([asked(true).suffices(telling), asked(true).suffices(silent)]).toEqual([true, false])
  expect(asked(false).suffices(telling)).toBe(false)
  expect(tellingLikely(undefined, LEAST)).toBeUndefined()
})
