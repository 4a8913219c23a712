import { generateLongProblem, generateProblem, testProblems } from '@lookahead/gpu-backend/dataset'
import { expect, test } from 'vitest'
import { isStory, unfamiliarWords } from './unfamiliar.ts'

test('problems have no word that the models do not know, nor has one with another name', () => {
  const problems = [...testProblems(2000), ...generated(generateProblem, 2000), ...generated(generateLongProblem, 200)]
  for (const { question } of problems)
    expect({ question, words: unfamiliarWords(question), isStory: isStory(question) }).toEqual({
      question,
      words: [],
      isStory: true,
    })
  expect(unfamiliarWords('Ann has 144 shells. 2/3 of them are yellow. How many shells are yellow?')).toEqual([])
})

/** Training problems beyond those that the words are gathered from. */
const generated = (generate: typeof generateProblem, count: number) =>
  Array.from({ length: count }, (_, i) => generate(10_000 + i, 'train'))

test.each([
  ['What is 17 times 23?', false],
  ['Add 5 to 7.', false],
  ['Is 144 a square?', false],
  ['What is the sum of 3, 4 and 5?', false],
  ['Ann has 3 packs of 12 shells and finds 4. How many shells has Ann?', true],
])('sums alone are no story: %s', (question, expected) => {
  expect(isStory(question)).toBe(expected)
})

test.each([
  ['What is the capital of France?', ['capital', 'France']],
  ['What is 2+2?', ['+']],
  ['Hello', ['Hello']],
  ['Ann buys 3 Ferraris for $9 each and then 5 Pens for $2 each. How many dollars come back?', ['Ferraris']],
  ['A shop sells Fiats at $30 each. Then Zoe takes 2. How many dollars does Zoe pay in 4 weeks?', ['Fiats']],
  ['Bob eats 3 apples, then eats 2. How many has Bob?', ['eats', 'apples']],
  ['法国的首都是哪里?', ['法国的首都是哪里']],
])('other questions have some: %s', (question, words) => {
  expect(unfamiliarWords(question)).toEqual(words)
})
