import { describe, expect, test } from 'vitest'
import { asyncSpeedup, combinedSpeedup, syncSpeedup, tokenSpeedup } from '../lookahead/theory/index.ts'
import { curve, drawText, plain, simulate } from './index.ts'
import type { Rates, Span, Way, World } from './index.ts'

/** Forwards of a millisecond, whatever is in them, so that plain decoding takes one for a token; all else is free. */
const ideal: World = { target: [[1, 1]], draftToken: 0, guess: 0, judge: 0, roundTrip: 0, call: 0 }
const steps = (kind: Way['kind'], depth: number): Way => ({ ...plain, kind, depth })
const speedup = (rates: Rates, way: Way, world: World, count = 1000) => {
  const text = drawText(rates, count, 1)
  return (count * rates.stepTokens) / simulate(text, way, world).ms
}
const expectWithin = (share: number, value: number, of: number) =>
  expect(Math.abs(value / of - 1), `${value} and ${of}`).toBeLessThan(share)

describe('in the world of the theory it does what the formulas say', () => {
  test.each([0.3, 0.63, 0.9])('steps, α1 = %f', (acceptance) => {
    const rates: Rates = { steps: acceptance, tokens: 0, stepTokens: 100 }
    for (const cost of [0.05, 0.2, 0.45])
      for (const depth of [1, 2, 4, 8]) {
        const world = { ...ideal, draftToken: cost }
        const layer = { acceptance, cost }
        expectWithin(0.04, speedup(rates, steps('sync', depth), world), syncSpeedup(layer, depth + 1))
        expectWithin(0.04, speedup(rates, steps('async', depth), world), asyncSpeedup(layer, depth))
      }
  })

  test('tokens', () => {
    for (const acceptance of [0.3, 0.8])
      for (const guesses of [1, 4, 8]) {
        const world = { ...ideal, guess: 0.05 }
        const alone = { ...plain, guesses }
        const expected = tokenSpeedup({ acceptance, cost: 0.05 }, guesses + 1)
        expectWithin(0.01, speedup({ steps: 0, tokens: acceptance, stepTokens: 100 }, alone, world), expected)
      }
  })

  test('both: steps of many tokens', () => {
    const layers = { steps: { acceptance: 0.6, cost: 0.2 }, tokens: { acceptance: 0.7, cost: 0 } }
    const rates: Rates = { steps: 0.6, tokens: 0.7, stepTokens: 1000 }
    // The draft writes its own steps by token speculation too.
    const world = { ...ideal, draftToken: 0.2 / tokenSpeedup(layers.tokens, 5) }
    const way = { ...steps('async', 4), guesses: 4 }
    expectWithin(0.03, speedup(rates, way, world, 1000), combinedSpeedup('async', layers, 4, 5))
  })

  test('both in short steps gain 4 to 16 % less than the product of each alone: a stage waits for the slowest of its steps', () => {
    const [cost, guesses] = [0.15, 4]
    for (const alpha1 of [0.4, 0.6, 0.8])
      for (const alpha2 of [0.5, 0.7, 0.85])
        for (const depth of [2, 4, 6]) {
          const rates: Rates = { steps: alpha1, tokens: alpha2, stepTokens: 30 }
          const faster = tokenSpeedup({ acceptance: alpha2, cost: 0 }, guesses + 1)
          const lr = speedup(rates, steps('async', depth), { ...ideal, draftToken: cost })
          const sd = speedup(rates, { ...plain, guesses }, ideal)
          const both = speedup(rates, { ...steps('async', depth), guesses }, { ...ideal, draftToken: cost / faster })
          expect(both / (lr * sd)).toBeGreaterThan(0.84)
          expect(both / (lr * sd)).toBeLessThan(0.96)
        }
  })
})

const someRates: Rates = { steps: 0.7, tokens: 0.6, stepTokens: 30, agreement: 0.97 }
const text = drawText(someRates, 500, 7)
const machine: World = {
  target: [
    [1, 2],
    [64, 8],
  ],
  draftToken: 0.3,
  guess: 0.1,
  judge: 1,
  roundTrip: 0,
  call: 2,
}
const ways: Way[] = [
  plain,
  { ...plain, guesses: 8 },
  ...(['sync', 'async'] as const).flatMap((kind) =>
    [false, true].flatMap((reuse) =>
      (['all', 'refused'] as const).map((ownVersions) => ({ kind, depth: 6, guesses: 4, reuse, ownVersions })),
    ),
  ),
]

test.each(ways)('$kind, depth $depth, reuse $reuse, own versions of $ownVersions: all is written once', (way) => {
  const run = simulate(text, way, machine)
  expect(run.tokens).toBe(500 * 30)
  expect(simulate(text, way, machine)).toEqual(run)
  expect(run.acceptedSteps).toBeLessThanOrEqual(run.draftedSteps)
  if (way.depth === 0) return
  if (way.reuse && way.kind === 'sync') expect(run.forwardTokens).toBeGreaterThan(run.draftedTokens)
  const accepted = text.steps.filter((step) => step.accepted).length
  // The step after a cycle whose drafts were all accepted is never drafted.
  if (way.kind === 'async') expect(run.acceptedSteps).toBe(accepted)
  else expect(run.acceptedSteps).toBeLessThan(accepted)
})

test.each(ways)(
  '$kind, depth $depth, reuse $reuse, own versions of $ownVersions: spans account for the time',
  (way) => {
    const spans: Span[] = []
    const { ms, busy } = simulate(text, way, machine, { onSpan: (span) => spans.push(span) })
    for (const part of ['draft', 'target', 'judge', 'wire'] as const) {
      const own = spans.filter((span) => span.part === part)
      expect(own.reduce((sum, { from, to }) => sum + to - from, 0)).toBeCloseTo(busy[part], 6)
      for (const { from, to } of own) expect(to).toBeGreaterThanOrEqual(from)
    }
    expect(Math.max(...spans.map(({ to }) => to))).toBeCloseTo(ms, 6)
    const all = busy.draft + busy.target + busy.judge + busy.wire
    if (way.kind === 'sync') expect(all).toBeGreaterThan(0.95 * ms)
    else expect(busy.target).toBeLessThanOrEqual(ms)
  },
)

test('distance: two round trips a cycle, hidden where drafting runs ahead', () => {
  const far = { ...machine, roundTrip: 60 }
  const lost = (way: Way) => simulate(text, way, far).ms - simulate(text, way, machine).ms
  expect(lost(plain)).toBeCloseTo(60, 9)
  const sync = steps('sync', 6)
  expect(lost(sync)).toBeCloseTo(120 * simulate(text, sync, machine).starts, 6)
  expect(lost({ ...sync, kind: 'async' })).toBeLessThan(lost(sync))
  // A draft that is never wrong starts once, but waits for every verdict on the step before.
  const perfect = drawText({ ...someRates, steps: 1 }, 100, 7)
  const waiting = (depth: number) =>
    simulate(perfect, steps('async', depth), far).ms - simulate(perfect, steps('async', depth), machine).ms
  expect(waiting(1)).toBeGreaterThan(1.9 * 100 * 60)
  expect(waiting(16)).toBeLessThan(10 * 60)
  const good = drawText({ ...someRates, steps: 0.95 }, 500, 7)
  const share = (way: Way) => simulate(good, way, machine).ms / simulate(good, way, far).ms
  expect(share(steps('async', 16))).toBeGreaterThan(1.2 * share(steps('sync', 4)))
})

test('what is dearer takes longer; what is reused, or not written, shorter', () => {
  const way: Way = { kind: 'async', depth: 6, guesses: 4, reuse: true, ownVersions: 'all' }
  const ms = (changed: Partial<World>, changedWay: Partial<Way> = {}) =>
    simulate(text, { ...way, ...changedWay }, { ...machine, ...changed }).ms
  for (const dearer of [{ draftToken: 1 }, { guess: 1 }, { judge: 20 }, { call: 20 }, { target: [[1, 9]] as const }])
    expect(ms(dearer)).toBeGreaterThan(ms({}))
  expect(ms({}, { ownVersions: 'refused' })).toBeLessThan(ms({}))
  expect(ms({}, { reuse: false })).toBeGreaterThan(ms({}))
})

test('the target writes every refused step, whichever versions it is spared', () => {
  const bad = drawText({ ...someRates, steps: 0, agreement: 0.5 }, 100, 7)
  const way: Way = { kind: 'async', depth: 4, guesses: 0, reuse: true, ownVersions: 'all' }
  expect(simulate(bad, { ...way, ownVersions: 'refused' }, machine)).toEqual(simulate(bad, way, machine))
})

test('token acceptance that falls along the text slows the end of it', () => {
  const sd = { ...plain, guesses: 8 }
  const falling = drawText({ ...someRates, tokensHalveAfter: 5000 }, 500, 7)
  expect(falling.tokenAcceptance(0)).toBe(0.6)
  expect(falling.tokenAcceptance(5000)).toBeCloseTo(0.3, 12)
  expect(simulate(falling, sd, machine).ms).toBeGreaterThan(1.2 * simulate(text, sd, machine).ms)
})

test('a cost curve goes straight between its points and beyond', () => {
  const ms = curve([
    [1, 2],
    [5, 4],
    [10, 14],
  ])
  expect([1, 3, 5, 6, 10, 12].map(ms)).toEqual([2, 3, 4, 6, 14, 18])
  expect(curve([[1, 3]])(50)).toBe(3)
  expect(() => curve([])).toThrow(/needs a point/)
  expect(() =>
    curve([
      [2, 1],
      [2, 3],
    ]),
  ).toThrow(/must rise/)
})
