/** GSM8K (Cobbe et al., arXiv 2110.14168), `test.jsonl` of github.com/openai/grade-school-math: `question`, `answer` ending with `#### 72`. */
import * as v from 'valibot'
import type { Format } from './format.ts'

const FINAL = /####\s*(\S[^\n]*?)\s*$/

export const gsm8k: Format = {
  name: 'gsm8k',
  line: v.pipe(
    v.object({ question: v.string(), answer: v.pipe(v.string(), v.regex(FINAL)) }),
    v.transform(({ question, answer }) => ({ question, answer: FINAL.exec(answer)![1]! })),
  ),
}
