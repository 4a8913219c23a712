import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { longTestProblems } from '@lookahead/gpu-backend/dataset'
import { expect, onTestFinished, test } from 'vitest'
import { loadDataset } from './index.ts'

/** A file with these lines. */
async function fileOf(...lines: unknown[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const file = path.join(folder, 'problems.jsonl')
  await writeFile(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
  return file
}

// Lines of our own with the keys of the published files.
test.each([
  ['gsm8k', { question: 'Two and two?', answer: '2 + 2 = <<2+2=4>>4\n#### 4' }],
  [
    'math-500',
    {
      problem: 'Two and two?',
      solution: 'so $\\boxed{4}$',
      answer: '4',
      subject: 'Algebra',
      level: 1,
      unique_id: 'test/a/1.json',
    },
  ],
  ['aime', { ID: '2024-I-1', Problem: 'Two and two?', Solution: 'It is 4.', Answer: 4 }],
  [
    'aime',
    { id: 60, problem: 'Two and two?', solution: 'It is 4.', answer: '004', url: 'https://example.org', year: '2024' },
  ],
  ['aime', { id: 60, problem: 'Two and two?', solution: '\\boxed{4}', url: 'https://example.org' }],
  ['amc', { id: 0, problem: 'Two and two?', answer: 4, url: 'https://example.org' }],
  ['amc', { id: 0, question: 'Two and two?', answer: 4, url: 'https://example.org' }],
  ['own', { question: 'Two and two?', answer: 4 }],
])('a file of %s is known by its lines, and marked', async (name, line) => {
  const dataset = await loadDataset(await fileOf(line, ''))
  expect(dataset.name).toBe(`${name}:problems.jsonl`)
  const [problem, ...rest] = dataset.problems(10)
  expect(rest).toEqual([])
  expect(problem!.question).toMatch(/^Two and two\?\n\n.*boxed/)
  expect(problem!.mark('Two and two make four: \\boxed{\\frac{8}{2}}')).toEqual({ right: 1, of: 1 })
  expect(problem!.mark('\\boxed{5}')).toEqual({ right: 0, of: 1 })
  expect(problem!.mark('I do not know')).toEqual({ right: 0, of: 1 })
})

test.each([
  ['not JSON', ['{'], /line 1, is not JSON/],
  ['empty', [], /is empty/],
  ['without answers', [{ question: 'x' }], /has question: give "question" and "answer"/],
  ['with a bad line', [{ question: 'x', answer: '1' }, { question: 'y' }], /line 2, is not of own/],
  [
    'with an id twice',
    [
      { id: 1, question: 'x', answer: '1' },
      { id: '1', question: 'y', answer: '2' },
    ],
    /same id/,
  ],
])('a file %s is refused with what to do', async (_, lines, message) => {
  await expect(loadDataset(await fileOf(...lines))).rejects.toThrow(message)
})

test('a file that is not there is refused', async () => {
  await expect(loadDataset('nowhere.jsonl')).rejects.toThrow('cannot read nowhere.jsonl (ENOENT)')
})

test('the demo problems are marked by their answer', async () => {
  const [problem] = (await loadDataset('demo')).problems(1)
  expect(problem!.mark('\\boxed{nonsense}')).toEqual({ right: 0, of: 1 })
})

test('long problems are marked part by part', async () => {
  const [problem] = (await loadDataset('demo-long')).problems(1)
  const { answers } = longTestProblems(1)[0]!
  const given = answers.with(1, 'nonsense').join(', ')
  expect(problem!.mark(`\\boxed{${given}}`)).toEqual({ right: answers.length - 1, of: answers.length })
  expect(problem!.mark('I do not know')).toEqual({ right: 0, of: answers.length })
})
