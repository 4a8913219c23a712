/** AMC 2023, as its two usual collections write it: `id`, `url`, `answer`, and `problem` or `question`. */
import * as v from 'valibot'
import type { Format } from './format.ts'

const text = v.pipe(v.union([v.string(), v.number()]), v.transform(String))
const shared = { id: text, answer: text, url: v.string() }

export const amc: Format = {
  name: 'amc',
  line: v.union([
    v.pipe(
      v.object({ ...shared, problem: v.string() }),
      v.transform(({ problem, ...entry }) => ({ ...entry, question: problem })),
    ),
    v.object({ ...shared, question: v.string() }),
  ]),
}
