import { describe, expect, test } from 'vitest'
import { Random } from '../sampling/random.ts'
import { MeasuredForwards, measuredCosts, nominal } from './costs.ts'

/** Forwards of one row and so many tokens on a machine where one takes `fixed + each · tokens` milliseconds, give or take `noise` of that. */
function measured({ fixed, each, noise }: { fixed: number; each: number; noise: number }, sizes: number[], seed = 1) {
  const random = new Random(seed)
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
  const costs = new MeasuredForwards()
  for (let i = 0; i < 300; i++) {
    const tokens = sizes[Math.floor(random.next() * sizes.length)]!
    costs.took(1, tokens, (fixed + each * tokens) * Math.exp(noise * gauss()))
  }
  return costs
}

const upTo = (n: number, first = 1): number[] => Array.from({ length: n - first + 1 }, (_, i) => first + i)
const times = (n: number, size: number): number[] => Array.from({ length: n }, () => size)

describe('what a forward costs', () => {
  test('before any was measured: a ratio', () => {
    const costs = new MeasuredForwards()
    expect([costs.measured, costs.cost(1, 5)]).toEqual([false, nominal.forward(1, 5)])
  })

  test('a line through the forwards of all sizes', () => {
    const costs = measured({ fixed: 5, each: 0.5, noise: 0 }, upTo(9))
    expect(costs.cost(1, 1) / 5.5).toBeCloseTo(1, 1)
    expect(costs.cost(1, 9) / 9.5).toBeCloseTo(1, 1)
  })

  test('of forwards of one size: the nominal shape', () => {
    const costs = measured({ fixed: 19.5, each: 0.5, noise: 0 }, [1])
    expect(costs.cost(1, 1)).toBeCloseTo(20)
    expect(costs.cost(1, 9)).toBeCloseTo(20 * nominal.forward(1, 9))
  })

  test('a guess costs what guesses took; until one was measured, a tenth of the target', () => {
    const [target, guesses] = [measured({ fixed: 19, each: 1, noise: 0 }, [1]), new MeasuredForwards()]
    expect(measuredCosts(target, guesses).guess(1)).toBeCloseTo(2)
    guesses.took(1, 1, 3)
    expect(measuredCosts(target, guesses).guess(1)).toBeCloseTo(3)
  })

  const machines = { cpu: { fixed: 0.5, each: 0.06 }, large: { fixed: 5, each: 0.5 }, flat: { fixed: 2, each: 0.02 } }
  const mixtures = {
    'one in ten is narrow': [1, ...times(9, 17)],
    'one in twenty is narrow': [1, ...times(19, 240)],
    'half are very wide': [1, 272],
    'eight texts, guesses or none': [8, 8, 40, 72, 136],
  }
  const cases = Object.entries(machines).flatMap(([machine, cost]) =>
    Object.entries(mixtures).map(([mixture, sizes]) => [machine, mixture, cost, sizes] as const),
  )
  test.each(cases)('%s, %s: right for narrow and wide, however noisy', (_machine, _mixture, cost, sizes) => {
    for (let seed = 0; seed < 20; seed++) {
      const costs = measured({ ...cost, noise: 0.15 }, sizes, seed)
      for (const tokens of [1, 17, Math.max(...sizes)]) {
        const ratio = costs.cost(1, tokens) / (cost.fixed + cost.each * tokens)
        expect(ratio, `${tokens} tokens, seed ${seed}`).toBeGreaterThan(0.7)
        expect(ratio, `${tokens} tokens, seed ${seed}`).toBeLessThan(1.35)
      }
    }
  })

  test('of wide forwards alone, a narrow one is never thought to cost what they do', () => {
    for (let seed = 0; seed < 20; seed++) {
      const costs = measured({ ...machines.cpu, noise: 0.3 }, upTo(260, 200), seed)
      expect(costs.cost(1, 1) / 0.56).toBeLessThan(2)
      expect(costs.cost(1, 1) / 0.56).toBeGreaterThan(0.5)
    }
  })

  test('texts that do not guess: a guess is not thought to cost what a further request does', () => {
    const costs = new MeasuredForwards()
    for (let i = 0; i < 100; i++) for (const rows of [1, 4]) costs.took(rows, rows, 1 + 0.2 * rows)
    expect(costs.cost(4, 4)).toBeCloseTo(1.8, 1)
    expect(costs.cost(4, 68)).toBeLessThan(0.8 * (1.8 + 64 * 0.2))
  })

  test('rows and tokens are told apart once both were seen', () => {
    const costs = new MeasuredForwards()
    const ms = (rows: number, tokens: number): number => 1 + 0.4 * rows + 0.05 * tokens
    for (let i = 0; i < 300; i++) {
      const [rows, each] = [1 + (i % 8), 1 + (i % 5)]
      costs.took(rows, rows * each, ms(rows, rows * each))
    }
    for (const [rows, tokens] of [
      [1, 1],
      [1, 17],
      [8, 8],
      [8, 136],
    ] as const)
      expect(costs.cost(rows, tokens) / ms(rows, tokens), `${rows} rows, ${tokens} tokens`).toBeCloseTo(1, 1)
  })

  test('more tokens are never thought to cost less, whatever was measured', () => {
    const costs = new MeasuredForwards()
    for (let i = 0; i < 100; i++) for (const tokens of [1, 9]) costs.took(1, tokens, 20 - tokens)
    expect(costs.cost(1, 9)).toBeGreaterThanOrEqual(costs.cost(1, 1))
  })

  test('one forward that was held up changes little', () => {
    const costs = measured({ fixed: 5, each: 0.5, noise: 0.05 }, upTo(9))
    costs.took(1, 1, 500)
    expect(costs.cost(1, 1)).toBeLessThan(1.2 * 5.5)
  })

  test('it follows a machine that changes', () => {
    const costs = measured({ fixed: 5, each: 0.5, noise: 0.1 }, upTo(9))
    for (let i = 0; i < 300; i++) costs.took(1, 1 + (i % 9), 2 * (5.5 + 0.5 * (i % 9)))
    expect(costs.cost(1, 1)).toBeCloseTo(11, 0)
  })
})
