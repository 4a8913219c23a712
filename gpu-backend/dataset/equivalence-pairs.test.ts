import { expect, test } from 'vitest'
import { otherNumbers } from './alterations.ts'
import { categories, equivalencePairs } from './equivalence-pairs.ts'
import { foreignWords } from './foreign.ts'
import { namesOf } from './splits.ts'
import { terms } from './terms.ts'

const pairs = equivalencePairs(2800)
const of = (category: string) => {
  const found = pairs.filter((pair) => pair.category === category)
  expect(found.length, category).toBeGreaterThanOrEqual(100)
  return found
}
const numbers = (text: string) => [...new Set(text.match(/\d+/g))].toSorted()
const lines = (text: string) => text.trim().split('\n')
const words = (text: string): string[] => text.match(/[A-Za-z]+/g) ?? []

test('there are as many as are wanted, half of them the same in meaning, half in foreign words, in every category', () => {
  expect(pairs).toHaveLength(2800)
  expect(pairs.filter(({ same }) => same)).toHaveLength(1400)
  for (const { name, same } of categories) {
    const found = of(name)
    expect(found.every((pair) => pair.same === same)).toBe(true)
    expect(found.filter((pair) => pair.words === 'foreign').length).toBe(found.length / 2)
  }
})

test('they are the same ones each time, and others with another seed', () => {
  expect(equivalencePairs(300)).toEqual(equivalencePairs(300))
  const texts = new Set(equivalencePairs(300).map(({ target, draft }) => target + draft))
  const others = equivalencePairs(300, 1).filter(({ target, draft }) => !texts.has(target + draft))
  expect(others.length).toBeGreaterThan(250)
})

test('each is two whole steps that are not the same text, after whole steps', () => {
  for (const { target, draft, before } of pairs) {
    expect(target).not.toBe(draft)
    for (const step of [target, draft, ...before]) {
      expect(step.indexOf('\n\n')).toBe(step.length - 2)
      expect(step).not.toMatch(/undefined|NaN/)
    }
  }
})

test('those of other meaning have the same numbers, but where a digit or the step is another', () => {
  for (const { category, target, draft, same } of pairs)
    if (!same && !otherNumbers.has(category)) expect(numbers(draft), category + target + draft).toEqual(numbers(target))
})

test('foreign ones have no word for a person or colour that training has', () => {
  for (const { question, target, words: kind } of pairs) {
    const said = terms(question + target)
    if (kind === 'foreign') for (const name of [...namesOf('test'), 'red', 'shells']) expect(said).not.toContain(name)
    else expect(said.some((word) => foreignWords.includes(word))).toBe(false)
  }
})

test('another operation is announced, and the same calculation written out', () => {
  for (const { target, draft } of of('operation')) expect(lines(draft).slice(1, -1)).toEqual(lines(target).slice(1, -1))
})

test('another entity of the question takes the place of one, and one from nowhere is not in it', () => {
  const strange = (text: string, known: string) => words(text).filter((word) => !words(known).includes(word))
  for (const { question, target, draft } of of('person')) {
    const people = (text: string) => words(text).filter((word) => /^[A-Z]/.test(word) && words(question).includes(word))
    expect(people(draft)).not.toEqual(people(target))
  }
  for (const { question, target, draft } of of('entity from nowhere'))
    expect(strange(draft, `${question} ${target}`).length).toBeGreaterThan(0)
})

test('facts in another order are the same clauses', () => {
  const clauses = (text: string) => text.slice(text.indexOf(': ') + 2, -3).split(', ')
  for (const { target, draft } of of('facts in another order')) {
    expect(clauses(draft).toSorted()).toEqual(clauses(target).toSorted())
    expect(clauses(draft)).not.toEqual(clauses(target))
  }
})

test('where signs differ, only signs and words do', () => {
  for (const { target, draft } of of('sign')) {
    expect(draft).toMatch(/\d[+-]\d/)
    expect(lines(draft).slice(1, -1).join().replaceAll(/[+-]/g, '±')).toBe(
      lines(target).slice(1, -1).join().replaceAll(/[+-]/g, '±'),
    )
  }
})
