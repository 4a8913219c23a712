import { describe, expect, test } from 'vitest'
import { randomFrom } from '../../simulator/random.ts'
import {
  asyncParallelism,
  asyncSpeedup,
  choices,
  combinedSpeedup,
  expectedWithBonus,
  expectedWithoutBonus,
  leviathanSpeedup,
  optimum,
  syncSpeedup,
  theorem3,
  theorem4,
  theorem4Applies,
  tokenSpeedup,
} from './index.ts'
import type { Choice, Layer, Layers } from './index.ts'

/** What was played: things committed, and time in times of the target for one. */
interface Played {
  committed: number
  time: number
}
type Random = () => number

const expectWithin = (share: number, value: number, of: number) =>
  expect(Math.abs(value / of - 1), `${value} and ${of}`).toBeLessThan(share)

/** Draft k − 1, let the target check them in one go: those before the first refused, and one of the target's own. */
function round(random: Random, { acceptance, cost }: Layer, k: number): Played {
  let accepted = 0
  while (accepted < k - 1 && random() < acceptance) accepted++
  return { committed: accepted + 1, time: cost * (k - 1) + 1 }
}

/**
 * Up to the first refused step, by the clock (App. B.1.1): a drafted step and the target's version of it begin together, as
 * soon as the draft is free and fewer than k of the target's are under way.
 */
function stage(random: Random, { acceptance, cost }: Layer, k: number, stepTime = () => ({ draft: cost, target: 1 })) {
  const ends: number[] = []
  for (let draftFree = 0; ;) {
    const start = Math.max(draftFree, ends.at(-k) ?? 0)
    const { draft, target } = stepTime()
    ends.push(Math.max(start + target, ends.at(-1) ?? 0))
    draftFree = start + draft
    if (random() >= acceptance) return { committed: ends.length, time: ends.at(-1)! }
  }
}

function play(times: number, once: () => Played): number {
  const sum = { committed: 0, time: 0 }
  for (let i = 0; i < times; i++) {
    const { committed, time } = once()
    sum.committed += committed
    sum.time += time
  }
  return sum.committed / sum.time
}

const someLayers: Layer[] = [0.1, 0.5, 0.63, 0.9].flatMap((acceptance) =>
  [0.01, 0.13, 0.25, 0.45].map((cost) => ({ acceptance, cost })),
)

describe('formulas give what the process itself does, played 100,000 times', () => {
  test.each(someLayers)('tokens and synchronous steps, α $acceptance, c $cost', (layer) => {
    const random = randomFrom(1)
    for (const k of [1, 2, 5, 9]) {
      const played = play(100_000, () => round(random, layer, k))
      expectWithin(0.01, tokenSpeedup(layer, k), played)
      expectWithin(0.01, syncSpeedup(layer, k), played)
    }
  })

  test.each(someLayers)('asynchronous steps, both regimes, α $acceptance, c $cost', (layer) => {
    const random = randomFrom(2)
    for (const k of [1, 2, 3, 4, 8, 200])
      expectWithin(
        0.01,
        asyncSpeedup(layer, k),
        play(100_000, () => stage(random, layer, k)),
      )
  })

  test('what a cycle commits, with the bonus step and without', () => {
    const random = randomFrom(3)
    for (const acceptance of [0, 0.3, 0.8, 1]) {
      const mean = (drafted: number, bonus: number) =>
        play(100_000, () => {
          const { committed } = round(random, { acceptance, cost: 0 }, drafted + 1)
          return { committed: committed - (committed > drafted ? 1 - bonus : 0), time: 1 }
        })
      expectWithin(0.01, expectedWithBonus(acceptance, 4), mean(4, 1))
      expectWithin(0.01, expectedWithoutBonus(acceptance, 4), mean(4, 0))
    }
  })

  test('both layers: steps of many tokens, each written by token speculation', () => {
    const random = randomFrom(4)
    const both: Layers = { steps: { acceptance: 0.6, cost: 0.2 }, tokens: { acceptance: 0.7, cost: 0.05 } }
    const tokensInStep = 1000
    const written = (k2: number): number => {
      let [tokens, time] = [0, 0]
      while (tokens < tokensInStep) {
        const { committed, time: took } = round(random, both.tokens, k2)
        tokens += committed
        time += took
      }
      return time / tokensInStep
    }
    for (const [k1, k2] of [
      [2, 4],
      [4, 2],
      [5, 5],
      [8, 3],
    ] as const) {
      const stepTime = () => ({ draft: both.steps.cost * written(k2), target: written(k2) })
      const played = play(3000, () => stage(random, both.steps, k1, stepTime))
      expectWithin(0.03, combinedSpeedup('async', both, k1, k2), played)
    }
  })
})

test('the two conventions of token speculation differ by one', () => {
  const layer = { acceptance: 0.8, cost: 0.1 }
  // Leviathan et al., theorem 3.8, written out.
  expect(leviathanSpeedup(layer, 5)).toBeCloseTo((1 - 0.8 ** 6) / (0.2 * (1 + 0.1 * 5)), 12)
  expect(leviathanSpeedup(layer, 5)).toBe(tokenSpeedup(layer, 6))
})

test('asynchronous: more at a time gains up to ⌈1/c⌉ and then no more (lemma 2); a draft of no cost gains at most 1/(1 − α)', () => {
  for (const layer of someLayers) {
    const most = asyncParallelism(layer.cost)
    expect(most).toBe({ 0.01: 100, 0.13: 8, 0.25: 4, 0.45: 3 }[layer.cost])
    for (let k = 1; k < Math.min(most, 20); k++)
      expect(asyncSpeedup(layer, k + 1)).toBeGreaterThan(asyncSpeedup(layer, k) - 1e-9)
    expect(asyncSpeedup(layer, most + 7)).toBe(asyncSpeedup(layer, most))
  }
  expect(asyncParallelism(1 / 49)).toBe(49)
  expect(asyncSpeedup({ acceptance: 0.75, cost: 0 }, 500)).toBeCloseTo(4, 9)
})

test('everything accepted, nothing accepted', () => {
  expect(syncSpeedup({ acceptance: 1, cost: 0.5 }, 5)).toBeCloseTo(5 / 3, 12)
  expect(asyncSpeedup({ acceptance: 1, cost: 0.1 }, 5)).toBe(5)
  expect(asyncSpeedup({ acceptance: 1, cost: 0.1 }, 50)).toBeCloseTo(10, 12)
  expect(asyncSpeedup({ acceptance: 0, cost: 0.1 }, 5)).toBe(1)
  expect(leviathanSpeedup({ acceptance: 0, cost: 0.1 }, 5)).toBeCloseTo(1 / 1.5, 12)
})

test('rates that cannot be meant are refused', () => {
  expect(() => syncSpeedup({ acceptance: 1.2, cost: 0 }, 2)).toThrow(/acceptance must be from 0 to 1, not 1.2/)
  expect(() => tokenSpeedup({ acceptance: 0.5, cost: -1 }, 2)).toThrow(/cost/)
  expect(() => asyncSpeedup({ acceptance: 0.5, cost: 0.1 }, 0)).toThrow(/whole number from 1/)
  expect(() => optimum('sync', { steps: someLayers[0]!, tokens: someLayers[0]! }, NaN)).toThrow(RangeError)
})

const grid = (values: { a1: number[]; a2: number[]; c1: number[]; c2: number[] }): Layers[] =>
  values.a1.flatMap((a1) =>
    values.a2.flatMap((a2) =>
      values.c1.flatMap((c1) =>
        values.c2.map((c2) => ({ steps: { acceptance: a1, cost: c1 }, tokens: { acceptance: a2, cost: c2 } })),
      ),
    ),
  )
const range = (from: number, to: number, by: number) =>
  Array.from({ length: Math.floor((to - from) / by + 1e-9) + 1 }, (_, i) => from + i * by)
const layersIn = ({ steps, tokens }: Choice) => (steps === 1 ? 'tokens' : tokens === 1 ? 'steps' : 'both')

test('the optimum is the best of all that a budget has room for', () => {
  const some = grid({ a1: [0.3, 0.7], a2: [0.4, 0.9], c1: [0.05, 0.3], c2: [0.01, 0.2] })
  for (const kind of ['sync', 'async'] as const)
    for (const layers of some) {
      let most = 0
      for (let k1 = 1; k1 <= 24; k1++)
        for (let k2 = 1; k2 * (kind === 'sync' ? k1 : Math.min(k1, Math.ceil(1 / layers.steps.cost))) <= 24; k2++)
          most = Math.max(most, combinedSpeedup(kind, layers, k1, k2))
      expect(optimum(kind, layers, 24).speedup).toBeCloseTo(most, 12)
      const counts = choices(kind, layers, 24).map((choice) => choice.steps)
      const deepest = kind === 'sync' ? 24 : Math.min(24, Math.ceil(1 / layers.steps.cost))
      expect(counts).toEqual(Array.from({ length: deepest }, (_, i) => i + 1))
    }
})

test('theorem 3 names the layers of the optimum, wherever it applies on the grid', () => {
  const rates = range(0.05, 0.95, 0.1)
  const costs = [0.01, 0.05, 0.1, 0.2, 0.5]
  const seen = { both: 0, tokens: 0, steps: 0 }
  for (const layers of grid({ a1: rates, a2: rates, c1: costs, c2: costs }))
    for (const budget of [4, 6, 8, 16, 64]) {
      const says = theorem3(layers, budget)
      if (!says) continue
      seen[says]++
      expect(layersIn(optimum('sync', layers, budget))).toBe(says)
    }
  expect(Math.min(seen.both, seen.tokens, seen.steps)).toBeGreaterThan(100)
  const poor = { acceptance: 0.2, cost: 0.1 }
  expect(theorem3({ steps: poor, tokens: { acceptance: 0.9, cost: 0.1 } }, 16)).toBeUndefined()
  expect(theorem3({ steps: someLayers[4]!, tokens: someLayers[4]! }, 7)).toBeUndefined()
})

test('theorem 4: wherever it applies on the grid, the optimum has both layers', () => {
  const rates = range(0.53, 0.79, 0.02)
  const values = { a1: rates, a2: rates, c1: [0.005, 0.02, 0.1, 0.2, 0.33], c2: [0, 0.005, 0.05, 0.1, 0.199] }
  for (const layers of grid(values))
    for (const budget of [16, 18, 32, 100]) {
      expect(theorem4(layers, budget)).toBe('both')
      expect(layersIn(optimum('async', layers, budget))).toBe('both')
    }
})

test('theorem 4 says nothing outside its conditions, where one layer may be best', () => {
  const layers: Layers = { steps: { acceptance: 0.6, cost: 0.1 }, tokens: { acceptance: 0.6, cost: 0.1 } }
  expect(theorem4Applies(layers, 16)).toBe(true)
  for (const budget of [14, 17, 0]) expect(theorem4Applies(layers, budget)).toBe(false)
  expect(theorem4Applies({ ...layers, steps: { acceptance: 0.52, cost: 0.1 } }, 16)).toBe(false)
  expect(theorem4Applies({ ...layers, tokens: { acceptance: 0.8, cost: 0.1 } }, 16)).toBe(false)
  expect(theorem4Applies({ ...layers, steps: { acceptance: 0.6, cost: 1 / 3 } }, 16)).toBe(false)
  expect(theorem4Applies({ ...layers, tokens: { acceptance: 0.6, cost: 1 / 5 } }, 16)).toBe(false)
  const costly: Layers = { steps: { acceptance: 0.1, cost: 0.9 }, tokens: { acceptance: 0.95, cost: 0.01 } }
  expect(theorem4(costly, 16)).toBeUndefined()
  expect(layersIn(optimum('async', costly, 16))).toBe('tokens')
})
