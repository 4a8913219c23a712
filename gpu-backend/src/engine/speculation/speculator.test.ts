import { describe, expect, test } from 'vitest'
import type { Guess } from './accept.ts'
import { nominal } from './costs.ts'
import { SpeculationLength } from './length.ts'
import { draftedProposer } from './proposers/drafted-step.ts'
import { ngramProposer } from './proposers/ngram.ts'
import type { Proposer } from './proposers/proposer.ts'
import { Speculator } from './speculator.ts'

const MOST = 8
/** A text in which n-grams find something, and one in which they find nothing. */
const repetitive = [1, 2, 3, 4, 5, 6, 1, 2, 3, 4]
const fresh = [1, 2, 3, 4, 5, 6]

const tokensOf = (guesses: readonly Guess[]): number[] => guesses.map(({ token }) => token)
const candidate = (proposer: Proposer, length = new SpeculationLength()) => ({ proposer, length, most: MOST })
const gainOf = (length: SpeculationLength): number => length.gain({ most: MOST, costs: nominal })

/** Says `token` again and again. */
const saying = (token: number): Proposer => ({
  propose: (_text, most) => Array.from({ length: most }, () => ({ token })),
})

function learnt(right: boolean): SpeculationLength {
  const length = new SpeculationLength()
  for (let i = 0; i < 40; i++) length.observe(4, right ? 4 : 0)
  return length
}

describe('whose guesses are taken', () => {
  test('the first that has something to say', async () => {
    const speculator = new Speculator([candidate(ngramProposer), candidate(saying(9))], nominal)
    expect(tokensOf(await speculator.propose(repetitive, MOST)).slice(0, 2)).toEqual([5, 6])
    expect(new Set(tokensOf(await speculator.propose(fresh, MOST)))).toEqual(new Set([9]))
    expect(tokensOf(await speculator.propose(repetitive, MOST)).slice(0, 2)).toEqual([5, 6])
  })

  test('a later one that has proved better comes before it', async () => {
    const candidates = [candidate(ngramProposer, learnt(false)), candidate(saying(9), learnt(true))]
    const speculator = new Speculator(candidates, nominal)
    expect(new Set(tokensOf(await speculator.propose(repetitive, MOST)))).toEqual(new Set([9]))
  })

  test('a drafted step, then the text itself, then nobody', async () => {
    const speculator = new Speculator([candidate(draftedProposer([7, 5, 8])), candidate(ngramProposer)], nominal)
    expect(tokensOf(await speculator.propose([...repetitive, 7], MOST))).toEqual([5, 8])
    expect(tokensOf(await speculator.propose(repetitive, MOST)).slice(0, 2)).toEqual([5, 6])
    expect(await speculator.propose([6], MOST)).toEqual([])
  })

  test('one that will never speak again keeps nobody from speaking', async () => {
    const dead = { ...saying(9), silent: false }
    const speculator = new Speculator([candidate(ngramProposer, learnt(false)), candidate(dead, learnt(true))], nominal)
    expect(new Set(tokensOf(await speculator.propose(repetitive, MOST)))).toEqual(new Set([9]))
    dead.silent = true
    const said: number[][] = []
    for (let i = 0; i < 20; i++) said.push(tokensOf(await speculator.propose(repetitive, MOST)).slice(0, 1))
    expect(said.at(-1)).toEqual([5])
    expect(speculator.silent).toBe(false)
  })

  test('never more than there is room for, and none without proposers', async () => {
    const speculator = new Speculator([candidate(saying(9), learnt(true))], nominal)
    for (const room of [3, 1, 0, -1]) expect(await speculator.propose(fresh, room)).toHaveLength(Math.max(0, room))
    const none = new Speculator([], nominal)
    expect([none.silent, await none.propose(fresh, MOST)]).toEqual([true, []])
  })
})

describe('who is told how the guesses did', () => {
  test('the one that made them, not the one before it that was silent', async () => {
    const [first, second] = [new SpeculationLength(), new SpeculationLength()]
    const speculator = new Speculator([candidate(ngramProposer, first), candidate(saying(9), second)], nominal)
    const before = gainOf(first)
    for (let i = 0; i < 40; i++) speculator.observe((await speculator.propose(fresh, MOST)).length, 0)
    expect([gainOf(first), gainOf(second)]).toEqual([before, 1])
    for (let i = 0; i < 40; i++) speculator.observe((await speculator.propose(repetitive, MOST)).length, 0)
    expect(gainOf(first)).toBe(1)
  })

  test('nobody, when it was silent', async () => {
    const length = new SpeculationLength()
    const speculator = new Speculator([candidate(ngramProposer, length)], nominal)
    speculator.observe((await speculator.propose(repetitive, MOST)).length, 0)
    const before = gainOf(length)
    expect(await speculator.propose(fresh, MOST)).toEqual([])
    speculator.observe(3, 3)
    expect(gainOf(length)).toBe(before)
  })
})

describe('guesses that never prove right', () => {
  test('are given up, tried again now and then, and taken up again when they do', async () => {
    const own = new SpeculationLength()
    const speculator = new Speculator([candidate(saying(9), own)], nominal)
    const counts: number[] = []
    const write = async (texts: number, right: boolean): Promise<number> => {
      counts.length = 0
      for (let i = 0; i < texts; i++) {
        const { length } = await speculator.propose(fresh, MOST)
        speculator.observe(length, right ? length : 0)
        counts.push(length)
      }
      return counts.filter((count) => count > 0).length
    }
    await write(100, false)
    expect(gainOf(own)).toBe(1)
    const trials = await write(1000, false)
    expect(trials).toBeGreaterThan(0)
    expect(trials).toBeLessThan(12)
    expect(await write(700, true)).toBeGreaterThan(100)
    expect(gainOf(own)).toBeGreaterThan(2)
  })

  test('leave the place to those after it', async () => {
    const speculator = new Speculator([candidate(saying(8), learnt(false)), candidate(saying(9))], nominal)
    await speculator.propose(fresh, MOST)
    expect(new Set(tokensOf(await speculator.propose(fresh, MOST)))).toEqual(new Set([9]))
  })
})

test('the more texts share a forward, the fewer guesses for each, down to none', async () => {
  const counts: number[] = []
  for (const others of [0, 3, 15, 63]) {
    const speculator = new Speculator([candidate(saying(9))], nominal, () => others)
    counts.push((await speculator.propose(fresh, MOST)).length)
  }
  expect(counts).toEqual(counts.toSorted((a, b) => b - a))
  expect(counts[0]).toBeGreaterThan(counts[2]!)
  const dear = { forward: (_rows: number, tokens: number) => 10 + tokens ** 1.2, guess: () => 1 }
  const busy = new Speculator([candidate(saying(9))], dear, () => 63)
  expect(await busy.propose(fresh, MOST)).toEqual([])
})

test('closing it closes all its proposers', () => {
  const closed: number[] = []
  const closing = [1, 2].map((name) => candidate({ ...saying(name), close: () => void closed.push(name) }))
  new Speculator(closing, nominal).close()
  expect(closed).toEqual([1, 2])
})
