/** MATH-500 (Lightman et al., arXiv 2305.20050; problems of Hendrycks et al., arXiv 2103.03874): `problem`, `answer`, `subject`, `unique_id`. */
import * as v from 'valibot'
import type { Format } from './format.ts'

export const math500: Format = {
  name: 'math-500',
  line: v.pipe(
    v.object({ problem: v.string(), answer: v.string(), subject: v.string(), unique_id: v.string() }),
    v.transform(({ problem, answer, unique_id: id }) => ({ id, question: problem, answer })),
  ),
}
