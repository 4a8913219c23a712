import { expect, test } from 'vitest'
import { findLeaks } from './check.ts'
import { foreignProblems } from './foreign.ts'
import { judgePairs } from './judge-pairs.ts'
import { extractAnswer, FAMILIES, generateProblem, isCorrect, testProblems } from './problem.ts'
import { namesOf } from './splits.ts'
import { derivableTerms, terms } from './terms.ts'

test('a sample of the test set shares no question, number tuple or name with training', () => {
  expect(findLeaks(5_000, 500)).toEqual({ questions: [], numbers: [], names: [], words: [] })
})

test('a problem is the same each time, and its solutions are right in other words', () => {
  for (const problem of testProblems(200)) {
    expect(generateProblem(Number(problem.id.split('/')[1]), 'test').question).toBe(problem.question)
    const [one, two] = [problem.solve(1), problem.solve(2)]
    expect(one.steps.join('')).not.toBe(two.steps.join(''))
    expect(isCorrect(problem, one.steps.join('') + one.answer)).toBe(true)
    expect(one.steps.every((step) => step.endsWith('.\n\n') && step.indexOf('\n\n') === step.length - 2)).toBe(true)
  }
})

test('every calculation that a solution writes is correct', () => {
  const operations: Record<string, (a: number, b: number) => number> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '×': (a, b) => a * b,
    '/': (a, b) => a / b,
  }
  for (const problem of testProblems(500)) {
    for (const [line, a, sign, b, result] of problem
      .solve(0)
      .steps.join('')
      .matchAll(/(\d+)([-+×/])(\d+)=(\d+)/g)) {
      expect(operations[sign!]!(Number(a), Number(b)), line).toBe(Number(result))
    }
  }
})

test('all families occur', () => {
  expect(new Set(testProblems(400).map((p) => p.family)).size).toBe(FAMILIES.length)
})

test('a foreign problem is one of the test set in other words, and has its numbers and its answer', () => {
  const problems = foreignProblems(300)
  for (const [i, problem] of problems.entries()) {
    const original = generateProblem(i, 'test')
    expect(problem.question).not.toBe(original.question)
    expect(problem.question.match(/\d+/g)).toEqual(original.question.match(/\d+/g))
    expect(isCorrect(original, problem.solve(1).answer)).toBe(true)
    for (const name of [...namesOf('test'), 'shells', 'red']) expect(terms(problem.question)).not.toContain(name)
  }
  expect(foreignProblems(3, { families: ['fractions'] }).map(({ family }) => family)).toEqual([
    'fractions',
    'fractions',
    'fractions',
  ])
})

test('what can be derived is what solutions say, and no other number, person or colour', () => {
  for (const problem of foreignProblems(100)) {
    const derivable = derivableTerms(problem)
    for (const seed of [1, 2, 3]) {
      const { steps, answer } = problem.solve(seed)
      expect(terms(steps.join('') + answer).filter((term) => !derivable.has(term))).toEqual([])
    }
    for (const term of ['white', 'tiko', '7777']) expect(derivable).not.toContain(term)
  }
})

test('the answer is the last box, without spaces', () => {
  expect(extractAnswer('\\boxed{1} then \\boxed{ 11:25 }')).toBe('11:25')
  expect(extractAnswer('no box')).toBeUndefined()
})

test('about half of the judge pairs are aligned, and unaligned pairs differ in text', () => {
  const pairs = Array.from({ length: 400 }, (_, i) => judgePairs(i, 'test')).flat()
  const aligned = pairs.filter((p) => p.label === 'aligned').length / pairs.length
  expect(aligned).toBeGreaterThan(0.42)
  expect(aligned).toBeLessThan(0.62)
  for (const p of pairs) if (p.label === 'unaligned') expect(p.target).not.toBe(p.draft)
})
