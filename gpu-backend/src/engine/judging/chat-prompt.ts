/** The paper's question (arXiv 2506.19830, App. A), in our words, for any chat model through its own chat template. */
import type { Comparison, StepContext } from '@lookahead/worker/verifiers'
import type { ChatMessage, Tokenizer } from '../../tokenizer/index.ts'
import { nonThinkingPrompt } from './non-thinking-prompt.ts'
import { ALIGNED, UNALIGNED } from './judge-prompt.ts'

export interface ChatPromptOptions {
  /** Whether some answered examples go before the question, which small models need. Default false. */
  examples?: boolean | undefined
  /** The problem is told too, and so many of the last steps before the two. Default: neither. */
  context?: number | undefined
}

const QUESTION =
  'Two reasoning steps, s1 and s2, were written for the same place in the solution of a problem. Do they mean exactly the ' +
  'same? What they say counts, and not their wording: main ideas, key points, logical structure, calculations and their ' +
  `results. Answer [${ALIGNED}] if they say essentially the same and get the same results. Answer [${UNALIGNED}] if they ` +
  'differ, or if it is too hard to decide. Answer with the tag alone.'

const EXAMPLES: readonly (Comparison & { answer: string })[] = [
  {
    target: 'A box holds 6 eggs, so 4 boxes hold 4*6 = 24 eggs.',
    draft: 'In all there are 24 eggs, because 4 times 6 is 24.',
    answer: ALIGNED,
  },
  {
    target: 'Tom is 3 years older than Eva, so he is 8+3 = 11.',
    draft: 'Eva is 3 years older than Tom, so she is 8+3 = 11.',
    answer: UNALIGNED,
  },
  {
    target: 'From 2x + 4 = 10 we get x = 3.',
    draft: 'Taking 4 away on both sides and halving shows that x is 3.',
    answer: ALIGNED,
  },
  {
    target: 'The hall is 5*7 = 35 square metres large.',
    draft: 'The hall is 5+7 = 12 metres long.',
    answer: UNALIGNED,
  },
]

/** The prompt up to where the answer begins. */
export const chatPrompt = (tokenizer: Tokenizer, pair: Comparison, options: ChatPromptOptions = {}): string =>
  nonThinkingPrompt(tokenizer, messages(pair, options))

function messages({ target, draft, context }: Comparison, options: ChatPromptOptions): ChatMessage[] {
  const examples = (options.examples ? EXAMPLES : []).flatMap(({ answer, ...pair }) => [
    { role: 'user', content: twoSteps(pair) },
    { role: 'assistant', content: `[${answer}]` },
  ])
  const place = context && options.context !== undefined ? placeOf(context, options.context) : ''
  const [first, ...rest] = [...examples, { role: 'user', content: place + twoSteps({ target, draft }) }]
  return [{ ...first, content: `${QUESTION}\n\n${first.content}` }, ...rest]
}

const twoSteps = ({ target, draft }: Comparison): string =>
  `<start_s1>\n${target.trim()}\n<end_s1>\n<start_s2>\n${draft.trim()}\n<end_s2>`

/** The problem, and the last `count` steps after it. */
function placeOf({ question, before }: StepContext, count: number): string {
  const steps = before.split(/\n{2,}/).filter((step) => step.trim() !== '')
  const last = steps.slice(Math.max(0, steps.length - count))
  const parts = [
    `The problem:\n${question.trim()}`,
    ...(last.length > 0 ? [`The last steps:\n${last.join('\n\n')}`] : []),
  ]
  return parts.map((part) => `${part}\n\n`).join('')
}
