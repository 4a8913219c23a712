/** Your own problems: `question`, `answer`, and an `id` if you like. */
import * as v from 'valibot'
import type { Format } from './format.ts'

const text = v.pipe(v.union([v.string(), v.number()]), v.transform(String))

export const own: Format = {
  name: 'own',
  line: v.object({
    id: v.optional(text),
    question: v.pipe(v.string(), v.nonEmpty()),
    answer: v.pipe(text, v.nonEmpty()),
  }),
}
