/** How a judge wants to be asked. This is the one place where that is decided. */
import type { Comparison } from '@lookahead/worker/verifiers'
import * as v from 'valibot'
import { ModelError, readJsonIfAny } from '../../checkpoint/index.ts'
import { Tokenizer } from '../../tokenizer/index.ts'
import { Answers } from './answers.ts'
import { chatPrompt } from './chat-prompt.ts'
import { ALIGNED, PREFILL, taughtPrompt, taughtTokens, UNALIGNED } from './judge-prompt.ts'

/** `judge.json` in a judge's folder. */
const Asking = v.variant('prompt', [
  /** The short question that the demo judge was taught. */
  v.strictObject({ prompt: v.literal('taught') }),
  /** The paper's question, through the chat template. */
  v.strictObject({
    prompt: v.literal('chat'),
    examples: v.optional(v.boolean()),
    context: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  }),
])
export type Asking = v.InferOutput<typeof Asking>

export interface JudgeQuestion {
  /** Without the answer's prefill; to be encoded as `fenced`. */
  prompt: (pair: Comparison) => string
  answers: Answers
  /** Whether it is a chat model: others know their own question alone. */
  isChat: boolean
}

/** What the judge may say. */
export const verdicts = [UNALIGNED, ALIGNED] as const

/**
 * The question that the checkpoint in a folder is to be asked, by its `judge.json`. Without one, a tokenizer that has the
 * verdicts for tokens shows that the model was taught the short question; all others are asked as chat models.
 * @throws ModelError `unsupported` if it cannot be asked so; or if a file is missing or broken
 */
export async function readJudgeQuestion(folder: string): Promise<JudgeQuestion> {
  const tokenizer = await Tokenizer.load(folder)
  const asking = (await readJsonIfAny(folder, 'judge.json', Asking)) ?? recognised(tokenizer)
  try {
    return judgeQuestion(tokenizer, asking)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ModelError(
      'unsupported',
      `${folder} cannot be the judge: ${reason}; or serve without one: --judge none (then only drafted steps equal to the ` +
        "target's own are accepted)",
      { cause },
    )
  }
}

/** @throws ModelError `unsupported` if the model cannot be asked so; TemplateError if its chat template refuses the question */
export function judgeQuestion(tokenizer: Tokenizer, asking: Asking): JudgeQuestion {
  const question = {
    prompt: (pair: Comparison) =>
      asking.prompt === 'taught'
        ? taughtPrompt(pair, (step) => tokenizer.fenced(step))
        : chatPrompt(tokenizer, pair, asking),
    answers: new Answers(tokenizer, PREFILL, verdicts),
    isChat: asking.prompt === 'chat',
  }
  // Shows now whether there is a template, and whether it takes the question.
  question.prompt({ target: '', draft: '', context: { question: '', before: '' } })
  return question
}

const recognised = (tokenizer: Tokenizer): Asking =>
  taughtTokens.every((token) => tokenizer.encode(token).length === 1) ? { prompt: 'taught' } : { prompt: 'chat' }
