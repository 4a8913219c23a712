// Shows that no test question is in the training data: neither its text, nor its numbers with other words, nor its names;
// and that training, hard judge pairs too, has none of the words of the foreign problems.
//   node check.ts [training problems, default 120000] [test problems, default 2000]
import { fileURLToPath } from 'node:url'
import { generateProblem, type Problem, testProblems } from './problem.ts'
import { foreignWords } from './foreign.ts'
import { hardPair } from './hard-pairs.ts'
import { namesOf } from './splits.ts'
import { terms } from './terms.ts'

export interface Leaks {
  /** Test questions that are also training questions, word by word. */
  questions: string[]
  /** Ids of test problems whose family and numbers are those of a training problem. */
  numbers: string[]
  /** Test names that are training names. */
  names: string[]
  /** Words of foreign problems that a training question, solution or hard pair has. */
  words: string[]
}

const key = ({ family, numbers }: Problem): string => `${family}:${numbers.join(',')}`

/** Compares the first `training` training problems, and a tenth as many hard pairs, with the first `tests` test problems. All lists should be empty. */
export function findLeaks(training: number, tests: number): Leaks {
  const questions = new Set<string>()
  const tuples = new Set<string>()
  const words = new Set<string>()
  for (let i = 0; i < training; i++) {
    const problem = generateProblem(i, 'train')
    questions.add(problem.question)
    tuples.add(key(problem))
    for (const word of terms(problem.question + problem.solve(0).steps.join(''))) words.add(word)
  }
  for (let i = 0; i < training / 10; i++) {
    const { target, draft } = hardPair(i, 'train')
    for (const word of terms(target + draft)) words.add(word)
  }
  const problems = testProblems(tests)
  const names = new Set(namesOf('train'))
  return {
    questions: problems.map((p) => p.question).filter((q) => questions.has(q)),
    numbers: problems.filter((p) => tuples.has(key(p))).map((p) => p.id),
    names: namesOf('test').filter((name) => names.has(name)),
    words: foreignWords.filter((word) => words.has(word)),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [training, tests] = [Number(process.argv[2] ?? 120_000), Number(process.argv[3] ?? 2_000)]
  const leaks = findLeaks(training, tests)
  const found = leaks.questions.length + leaks.numbers.length + leaks.names.length + leaks.words.length
  console.log(`${training} training and ${tests} test problems:`, leaks)
  console.log(found === 0 ? 'nothing of the test set is in the training set' : `${found} leaks`)
  process.exitCode = found === 0 ? 0 : 1
}
