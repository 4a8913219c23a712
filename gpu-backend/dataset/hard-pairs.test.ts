import { expect, test } from 'vitest'
import { otherMeaning, sameMeaning } from './alterations.ts'
import { foreignWords } from './foreign.ts'
import { hardPair } from './hard-pairs.ts'
import { namesOf } from './splits.ts'
import { terms } from './terms.ts'

const pairs = Array.from({ length: 2000 }, (_, index) => hardPair(index, 'train'))
const of = (why: string) => pairs.filter((pair) => pair.why === why)

test('every second pair is aligned, every way is used, and texts differ', () => {
  for (const [index, { label, target, draft }] of pairs.entries()) {
    expect(label).toBe(index % 2 === 0 ? 'aligned' : 'unaligned')
    expect(target).not.toBe(draft)
  }
  for (const why of [...Object.keys(sameMeaning), ...Object.keys(otherMeaning)])
    expect(of(why).length, why).toBeGreaterThan(10)
})

test('a pair is the same each time, and another in another split', () => {
  expect(hardPair(7, 'train')).toEqual(pairs[7])
  expect(hardPair(7, 'test')).not.toEqual(pairs[7])
})

test('none has a word of the foreign problems or a name of the test set', () => {
  const said = new Set(pairs.flatMap(({ target, draft }) => terms(target + draft)))
  expect(foreignWords.filter((word) => said.has(word))).toEqual([])
  expect(namesOf('test').filter((name) => said.has(name.toLowerCase()))).toEqual([])
})

test('most have words that no other pair has', () => {
  const counts = new Map<string, number>()
  const each = pairs.map(({ target, draft }) => new Set(terms(target + draft).filter((term) => !/\d/.test(term))))
  for (const words of each) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  expect(each.filter((words) => [...words].some((word) => counts.get(word) === 1)).length).toBeGreaterThan(500)
})

test('strange words are those that give a pair away: the entity, the unit, the "not"', () => {
  for (const { strange, target, draft } of [...of('entity from nowhere'), ...of('unit')]) {
    const [a, b] = [target, draft].map((text) => text.toLowerCase()) as [string, string]
    expect(strange!.some((word) => a.includes(word) !== b.includes(word))).toBe(true)
  }
  for (const { strange } of of('negation')) expect(strange).toContain('not')
  for (const { strange } of [...of('operands'), ...of('numbers exchanged'), ...of('paraphrase')])
    expect(strange).toEqual([])
})
