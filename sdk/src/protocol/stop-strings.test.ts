import { expect, test } from 'vitest'
import { StopStrings } from './stop-strings.ts'

/** By looking everywhere. */
function searched(stops: readonly string[], text: string, read: number, exempt: number) {
  const found = stops.flatMap((stop) => {
    const at = text.indexOf(stop, Math.max(exempt, read) - stop.length + 1)
    return at < 0 ? [] : [{ stop, at }]
  })
  return found.toSorted((a, b) => a.at - b.at)[0]
}

test('finds what a search of the whole text finds, and holds back what may begin one', () => {
  let seed = 3
  const some = (most: number): number => 1 + ((seed = (seed * 48_271) % 0x7fffffff) % most)
  const word = (most: number): string => Array.from({ length: some(most) }, () => 'aab'[some(3) - 1]).join('')
  let matches = 0
  for (let round = 0; round < 2000; round++) {
    const stops = Array.from({ length: some(4) }, () => word(6))
    const automaton = new StopStrings(stops)
    const exempt = some(8) - 1
    let text = ''
    for (let n = 0; n < 12; n++) {
      const more = word(3)
      const read = text.length
      text += more
      const found = automaton.read(more, read, exempt)
      expect(found).toEqual(searched(stops, text, read, exempt))
      if (found && ++matches) break
      const begins = (length: number) =>
        stops.some((stop) => stop.length > length && stop.startsWith(text.slice(-length)))
      const lengths = Array.from({ length: text.length }, (_, i) => i + 1)
      expect(automaton.begun).toBe(lengths.findLast(begins) ?? 0)
    }
  }
  expect(matches).toBeGreaterThan(500)
})

test('nothing spans a reset', () => {
  const stops = new StopStrings(['abc'])
  expect(stops.read('ab', 0, 0)).toBeUndefined()
  expect(stops.begun).toBe(2)
  stops.reset()
  expect([stops.begun, stops.read('c', 2, 0)]).toEqual([0, undefined])
  expect(stops.read('abc', 3, 0)).toEqual({ stop: 'abc', at: 3 })
})

test('long stop strings that half match, again and again, cost next to nothing', () => {
  const half = 'ab'.repeat(50_000)
  const stops = new StopStrings(Array.from({ length: 64 }, (_, i) => half + String.fromCharCode(65 + i)))
  // Minutes, where each token is held against each of them.
  for (let token = 0; token < 30_000; token++) stops.read('abab', 4 * token, 0)
  expect(stops.begun).toBe(100_000)
})
