import { expect, test } from 'vitest'
import { foreignWords } from './foreign.ts'
import { inInventedWords, inventedWord } from './invented.ts'
import { generateLongProblem, longTestProblems, outlineOf, rightParts } from './long.ts'
import { extractAnswer, generateProblem, isCorrect } from './problem.ts'
import { Random } from './random.ts'
import { namesOf, splitOfNumbers } from './splits.ts'
import { derivableTerms, rightSteps, terms } from './terms.ts'

const textOf = ({ steps, answer }: { steps: string[]; answer: string }): string => steps.join('') + answer

test('a long problem is the same each time, and its solutions answer every part, in other words', () => {
  for (const [i, problem] of longTestProblems(50).entries()) {
    expect(generateLongProblem(i, 'test').question).toBe(problem.question)
    const [one, two] = [textOf(problem.solve(1)), textOf(problem.solve(2))]
    expect(one).not.toBe(two)
    expect(isCorrect(problem, one)).toBe(true)
    expect(rightParts(problem, one)).toEqual(problem.answers.map(() => true))
    expect(problem.solve(1).steps.every((step) => step.indexOf('\n\n') === step.length - 2)).toBe(true)
  }
})

test('a long problem asks and answers 4 to 8 numbered parts, one after the other', () => {
  const sizes = new Set<number>()
  for (const problem of longTestProblems(50)) {
    const numbers = problem.answers.map((_, i) => String(i + 1))
    sizes.add(numbers.length)
    expect([...problem.question.matchAll(/^Part (\d+)\. /gm)].map((match) => match[1])).toEqual(numbers)
    const { steps } = problem.solve(1)
    const opened = steps.flatMap((step) => /^(?:Now |On to |Next is )?[Pp]art (\d+)\. /.exec(step)?.[1] ?? [])
    const closed = steps.flatMap(
      (step) => / (?:So|That means|I note that) part (\d+ is [\d:]+)\.\n\n$/.exec(step)?.[1] ?? [],
    )
    expect(opened).toEqual(numbers)
    expect(closed).toEqual(problem.answers.map((answer, i) => `${i + 1} is ${answer}`))
  }
  expect(sizes).toEqual(new Set([4, 5, 6, 7, 8]))
})

test('a part that builds on others is solved from their answers', () => {
  let sums = 0
  for (const { question, answers } of longTestProblems(100)) {
    for (const [line, part, one, two] of question.matchAll(
      /^Part (\d+)\. .*answers of part (\d+) and part (\d+).*$/gm,
    )) {
      const value = (of: string | undefined): number => Number(answers[Number(of) - 1])
      expect(value(part), line).toBe(value(one) + value(two))
      sums++
    }
  }
  expect(sums).toBeGreaterThan(10)
})

test('the checker tells which parts are right', () => {
  const problem = { answers: ['157', '11:25', '88'] }
  expect(rightParts(problem, 'So \\boxed{157, 11:25, 88}.')).toEqual([true, true, true])
  expect(rightParts(problem, '\\boxed{1, 2, 3} no: \\boxed{157,11:26, 88}')).toEqual([true, false, true])
  expect(rightParts(problem, '\\boxed{157}')).toEqual([true, false, false])
  expect(rightParts(problem, 'no list')).toEqual([false, false, false])
  expect(isCorrect({ answer: '157, 24' }, '\\boxed{157,24}')).toBe(true)
  expect(isCorrect({ answer: '157, 24' }, '\\boxed{157, 25}')).toBe(false)
})

test('an outline leaves out the work of every part, and nothing else', () => {
  for (const problem of longTestProblems(20)) {
    const { steps, roles } = outlineOf(problem)
    const kept = steps.filter((_, i) => roles[i] !== 'skipped')
    expect(kept.length).toBe(4 * problem.answers.length + 1)
    // Only calculations span lines.
    for (const step of kept) expect(step.trimEnd()).not.toContain('\n')
    expect(roles.filter((role) => role === 'given').length).toBe(problem.answers.length)
    expect(roles[0]).toBe('learned')
    expect(roles.at(-1)).toBe('learned')
    const bare = outlineOf(problem, { bare: true })
    const asked = bare.steps.filter((_, i) => bare.roles[i] !== 'skipped')
    expect(asked.map((step) => step.trimEnd().replace(/^.*?[Pp]art /, 'Part ')).join('\n')).toBe(
      problem.question.slice(problem.question.indexOf('\n') + 1),
    )
  }
})

test('parts of one split share no name and no family with numbers with another', () => {
  const trained = new Set(namesOf('train'))
  for (const problem of longTestProblems(50)) {
    const words = problem.question.match(/[A-Z][a-z]+/g)!
    expect(words.filter((word) => trained.has(word))).toEqual([])
  }
  for (const split of ['train', 'test'] as const) {
    const seen: string[] = []
    const reword = (part: ReturnType<typeof generateProblem>) => {
      seen.push(splitOfNumbers(part.family, part.numbers))
      return part
    }
    for (let i = 0; i < 30; i++) generateLongProblem(i, split, { reword })
    expect(new Set(seen)).toEqual(new Set([split]))
  }
})

test('the second style says the same in other words, with the facts in the other order', () => {
  let shared = 0
  let all = 0
  for (let i = 0; i < 100; i++) {
    const problem = generateProblem(i, 'test')
    const near = problem.solve(1)
    const far = problem.solve(1, { far: 1 })
    expect(isCorrect(problem, textOf(far))).toBe(true)
    const derivable = derivableTerms(problem)
    expect(terms(far.steps.join('')).filter((term) => !derivable.has(term))).toEqual([])
    const plain = new Set(near.steps)
    shared += far.steps.filter((step) => plain.has(step)).length
    all += far.steps.length
  }
  expect([shared, all > 700]).toEqual([0, true])
  const problem = Array.from({ length: 300 }, (_, i) => generateProblem(i, 'test')).find((p) => p.family === 'average')!
  const [a, b, c, mean, bonus] = problem.numbers
  expect(problem.solve(1, { far: 1 }).steps[0]).toContain(
    `the bonus is ${bonus}, the mean of four is ${mean}, scores ${a}, ${b} and ${c}`,
  )
})

test('a narrow solution says each content in the one way, which is one of the many', () => {
  for (let i = 0; i < 50; i++) {
    const problem = generateProblem(i, 'test')
    const right = rightSteps(problem)
    const [one, two] = [problem.solve(1, { narrow: true }).steps, problem.solve(2, { narrow: true }).steps]
    expect(one.filter((step) => !right.has(step))).toEqual([])
    const checks = (steps: string[]): string[] => steps.filter((step) => !step.startsWith('A quick check'))
    expect(checks(one)).toEqual(checks(two))
  }
})

test('invented words are of no foreign problem, and leave numbers, operations and the answer alone', () => {
  const random = new Random('invented')
  const words = Array.from({ length: 20_000 }, () => inventedWord(random))
  expect(words.filter((word) => foreignWords.includes(word))).toEqual([])
  expect(new Set(words).size).toBeGreaterThan(10_000)
  let changed = 0
  for (let i = 0; i < 100; i++) {
    const original = generateProblem(i, 'train')
    const problem = inInventedWords(original, 'train', random)
    expect(problem.question.match(/\d+/g)).toEqual(original.question.match(/\d+/g))
    expect(extractAnswer(problem.solve(1).answer)).toBe(original.answer)
    const derivable = derivableTerms(problem)
    expect(terms(problem.solve(1).steps.join('')).filter((term) => !derivable.has(term))).toEqual([])
    if (problem.question !== original.question) changed++
  }
  expect(changed).toBeGreaterThan(80)
})
