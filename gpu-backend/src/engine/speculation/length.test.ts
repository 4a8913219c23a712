import { describe, expect, test } from 'vitest'
import { nominal } from './costs.ts'
import { SpeculationLength } from './length.ts'

const free = { forward: () => 1, guess: () => 0 }
const most = 8

/** Lets it guess `times` times; each guess is right while `right` says so. @returns the counts it chose */
function guess(length: SpeculationLength, times: number, right: () => boolean, costs = nominal): number[] {
  return Array.from({ length: times }, () => {
    const count = length.next({ most, costs })
    let accepted = 0
    while (accepted < count && right()) accepted++
    length.observe(count, accepted)
    return count
  })
}

const everyNth = (n: number): (() => boolean) => {
  let i = 0
  return () => ++i % n === 0
}

describe('how many tokens to guess', () => {
  test('guesses that are always right: as many as allowed, or nearly', () => {
    expect(guess(new SpeculationLength(), 60, () => true).at(-1)).toBeGreaterThanOrEqual(most - 1)
  })

  test('guesses that are never right: none, but for trials that become rare', () => {
    const counts = guess(new SpeculationLength(), 3000, () => false)
    const after = counts.slice(100)
    expect(counts.slice(0, 5)).not.toContain(0)
    expect(after.filter((count) => count > 0).length).toBeLessThan(12)
    expect(after.filter((count) => count > 0).length).toBeGreaterThan(2)
  })

  test('after a bad stretch it comes back', () => {
    const length = new SpeculationLength()
    expect(guess(length, 100, () => false).at(-1)).toBe(0)
    expect(guess(length, 600, () => true).at(-1)).toBeGreaterThanOrEqual(most - 1)
  })

  test('the better the guesses, the more of them', () => {
    const half = guess(new SpeculationLength(), 200, everyNth(2)).at(-1)!
    expect(half).toBeGreaterThan(0)
    expect(half).toBeLessThan(4)
    expect(guess(new SpeculationLength(), 200, everyNth(2), free).at(-1)).toBeGreaterThan(half)
  })

  test('what costs more than it brings is off, however good', () => {
    const dear = { forward: (_rows: number, tokens: number) => tokens, guess: () => 0.2 }
    const counts = guess(new SpeculationLength(), 100, () => true, dear)
    expect(counts.filter((count) => count > 0)).toEqual([])
    expect(new SpeculationLength().gain({ most, costs: dear })).toBe(1)
  })

  test('fewer for each text when many go through one forward whose cost grows with its tokens', () => {
    const one = new SpeculationLength()
    const many = new SpeculationLength()
    expect(many.next({ most, costs: nominal, rows: 16, texts: 16 })).toBeLessThan(one.next({ most, costs: nominal }))
  })

  test('a rival that brings more is left to it', () => {
    const length = new SpeculationLength()
    const gain = length.gain({ most, costs: nominal })
    expect(gain).toBeGreaterThan(1)
    expect(new SpeculationLength().next({ most, costs: nominal, rival: gain - 0.1 })).toBeGreaterThan(0)
    expect(new SpeculationLength().next({ most, costs: nominal, rival: gain + 0.1 })).toBe(0)
  })

  test('it never exceeds what is allowed now', () => {
    const length = new SpeculationLength()
    guess(length, 60, () => true)
    for (const room of [3, 1, 0, -1]) expect(length.next({ most: room, costs: nominal })).toBe(Math.max(0, room))
  })
})
