import { expect, test } from 'vitest'
import { LengthEstimator, decide as decideAmong, peak } from './admission.ts'
import type { Room, Sequence } from './admission.ts'
import { Random } from '../sampling/random.ts'

const decide = <T extends Sequence>(sequences: T[], pool: Room) => decideAmong(sequences, sequences, pool)
const room = (available: number, size = 100) => ({ size, available })
/** The same function for the same number, so that sequences can be compared. */
const needing = new Map<number, () => number>()
const needs = (n: number) => needing.get(n) ?? needing.set(n, () => n).get(n)!
const working = (rank: number, held: number, left = 0): Sequence => ({ rank, held, countNeeded: needs(0), left })
const newcomer = (rank: number, n: number, left = 0): Sequence => ({ rank, held: 0, countNeeded: needs(n), left })

test('a newcomer waits until there is room for what it and those at work will still write', () => {
  const writing = working(1, 40, 30)
  expect(decide([writing, newcomer(2, 20, 10)], room(60))).toEqual({ grant: newcomer(2, 20, 10) })
  expect(decide([writing, newcomer(2, 20, 25)], room(60))).toBeUndefined()
  expect(decide([writing, newcomer(2, 61)], room(60))).toBeUndefined()
})

test('room that is expected to come back in time is not kept free', () => {
  expect(decide([working(1, 50, 2), newcomer(2, 45, 50)], room(50))).toBeDefined()
  expect(decide([working(1, 50, 2), newcomer(2, 45, 60)], room(50))).toBeUndefined()
})

test('whoever is alone enters, however much is expected of it', () => {
  const alone = newcomer(1, 100, 500)
  expect(decide([alone], room(100))).toEqual({ grant: alone })
})

test('first come, first served: nobody slips past one that waits', () => {
  const texts = [newcomer(3, 5), newcomer(2, 80), working(1, 50)]
  expect(decide(texts, room(50))).toBeUndefined()
})

test('a newcomer that has to wait for room does not hold up a younger text at work', () => {
  const goesOn = { ...working(3, 10, 2), countNeeded: needs(1) }
  expect(decide([working(1, 40, 50), newcomer(2, 30, 35), goesOn, newcomer(4, 1)], room(50))).toEqual({ grant: goesOn })
})

test('of many newcomers only the oldest is asked what it needs', () => {
  const asked = new Set<number>()
  const many = Array.from({ length: 100 }, (_, i) => ({
    ...newcomer(2 + i, 90),
    countNeeded: () => {
      asked.add(i)
      return 90
    },
  }))
  expect(decide([working(1, 40), ...many], room(60))).toBeUndefined()
  expect([...asked]).toEqual([0])
})

test('who goes on takes slots from the youngest at work, even if that is itself, and never from an older one', () => {
  const [oldest, middle, youngest] = [working(1, 30), working(2, 30), working(3, 30)]
  expect(decide([oldest, { ...middle, countNeeded: needs(20) }, youngest], room(10))).toEqual({ preempt: youngest })
  expect(decide([oldest, middle, { ...youngest, countNeeded: needs(20) }], room(10))).toEqual({
    preempt: { ...youngest, countNeeded: needs(20) },
  })
  const back = { ...youngest, held: 0, countNeeded: needs(50) }
  expect(decide([oldest, middle, back], room(40))).toBeUndefined()
})

test('who comes late but is older needs no room for younger ones', () => {
  const [older, younger] = [newcomer(1, 50, 50), working(2, 80, 20)]
  expect(decide([younger, older], room(20))).toEqual({ preempt: younger })
  expect(decide([{ ...younger, held: 0, countNeeded: needs(80) }, older], room(100))).toEqual({ grant: older })
})

test('the peak is found where a text ends', () => {
  const texts = [
    { held: 10, left: 5 },
    { held: 20, left: 10 },
    { held: 30, left: 1 },
  ]
  // After 1: 60 + 3. After 5, without the third: 30 + 10. After 10 the second alone: 20 + 10.
  expect(peak(60, texts)).toBe(63)
  expect(peak(0, [])).toBe(0)
})

test('expected is what texts of that length came to, but never more than the limit', () => {
  const lengths = new LengthEstimator()
  expect(lengths.left(0, 10)).toBe(10)
  for (const length of [10, 20, 60]) lengths.ended(length)
  expect([0, 15, 40].map((written) => lengths.left(written, 1000))).toEqual([30, 25, 20])
  expect(lengths.left(15, 20)).toBe(5)
  expect(lengths.left(90, 1000)).toBeGreaterThan(0)
})

test('whatever comes and however long it gets, the oldest always goes on and all come to their end', () => {
  const SIZE = 200
  const random = new Random(4)
  const upTo = (n: number): number => Math.floor(random.next() * n)
  const lengths = new LengthEstimator()
  let preemptions = 0
  let used = 0

  class Simulated implements Sequence {
    held = 0
    due: number
    busy = false
    written = 0
    readonly rank: number
    readonly prompt = 1 + upTo(100)
    readonly length = 1 + upTo(SIZE - this.prompt)
    constructor(rank: number) {
      this.rank = rank
      this.due = this.prompt
    }
    countNeeded(): number {
      return this.due
    }
    get left(): number {
      return lengths.left(this.written, this.length + 20)
    }
    grow(slots: number): void {
      used += slots - this.held
      expect(used).toBeLessThanOrEqual(SIZE)
      this.held = slots
    }
  }

  const waiting = Array.from({ length: 300 }, (_, i) => new Simulated(i))
  let texts: Simulated[] = []
  for (let round = 0; waiting.length + texts.length > 0; round++) {
    while (waiting.length > 0 && (texts.length === 0 || upTo(3) === 0)) texts.push(waiting.shift()!)
    let decision = decide(texts, { size: SIZE, available: SIZE - used })
    while (decision) {
      if ('grant' in decision) {
        const { grant } = decision
        grant.grow(grant.held + grant.due)
        grant.due = 0
        grant.busy = true
      } else {
        const { preempt } = decision
        if (preempt.busy) break
        preemptions++
        preempt.grow(0)
        preempt.due = preempt.prompt + preempt.written
      }
      decision = decide(texts, { size: SIZE, available: SIZE - used })
    }
    expect(texts[0]!.busy, `round ${round}`).toBe(true)
    for (const text of texts.filter(({ busy }) => busy)) {
      text.busy = false
      text.written++
      text.due = 1
      if (text.written < text.length) continue
      text.grow(0)
      lengths.ended(text.written)
    }
    texts = texts.filter(({ written, length }) => written < length)
  }
  expect(used).toBe(0)
  expect(preemptions).toBeGreaterThan(10)
})
