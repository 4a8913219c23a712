/**
 * AIME 2024, as its three usual collections write it: `ID`, `Problem`, `Answer`; or `id`, `problem`, `answer`, `year`; or `id`,
 * `problem`, and a `solution` that is the boxed answer alone.
 */
import * as v from 'valibot'
import { extractAnswer } from '../answers/extract.ts'
import type { Format } from './format.ts'

const text = v.pipe(v.union([v.string(), v.number()]), v.transform(String))
const boxed = v.pipe(v.string(), v.regex(/^\s*\$?\\boxed\{.*\}\$?\s*$/s))

export const aime: Format = {
  name: 'aime',
  line: v.union([
    v.pipe(
      v.object({ ID: v.string(), Problem: v.string(), Answer: text }),
      v.transform(({ ID, Problem, Answer }) => ({ id: ID, question: Problem, answer: Answer })),
    ),
    v.pipe(
      v.object({ id: text, problem: v.string(), answer: text, year: text }),
      v.transform(({ id, problem, answer }) => ({ id, question: problem, answer })),
    ),
    v.pipe(
      v.object({ id: text, problem: v.string(), solution: boxed }),
      v.transform(({ id, problem, solution }) => ({ id, question: problem, answer: extractAnswer(solution)! })),
    ),
  ]),
}
