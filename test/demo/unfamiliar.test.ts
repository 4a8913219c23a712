import { testProblems } from '@lookahead/gpu-backend/dataset'
import { expect, test } from 'vitest'
import { unfamiliarWords } from './unfamiliar.ts'

test('held-out problems have no word that the models do not know, nor has one with another name', () => {
  for (const { question } of testProblems(50)) expect(unfamiliarWords(question)).toEqual([])
  expect(unfamiliarWords('Ann has 144 shells. 2/3 of them are yellow. How many shells are yellow?')).toEqual([])
})

test.each([
  ['What is the capital of France?', ['capital', 'France']],
  ['What is 2+2?', ['+']],
  ['Hello', ['Hello']],
  ['Bob eats 3 apples, then eats 2. How many has Bob?', ['eats', 'apples']],
  ['法国的首都是哪里?', ['法国的首都是哪里']],
])('other questions have some: %s', (question, words) => {
  expect(unfamiliarWords(question)).toEqual(words)
})
