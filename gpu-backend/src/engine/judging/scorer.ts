import { SCORE_PREFILL, SCORE_QUESTION } from '@lookahead/worker/verifiers'
import type { AskScore, StepContext } from '@lookahead/worker/verifiers'
import type { ModelRunner } from '../model-runner.ts'
import { Answers } from './answers.ts'
import { nonThinkingPrompt } from './non-thinking-prompt.ts'

/** In the prefix cache ratings are apart from clients' texts: how many tokens of those were cached tells nothing of ratings. */
const SALT = 'score'
const SCORES = Array.from('0123456789')

/**
 * Lets a model rate steps that it reads in their place, from 0 to 9: one prefill each, and the likeliest digit counts
 * (SpecReason's `greedy`; there no digit at all is 0, here the likeliest of them).
 */
export class Scorer {
  readonly #runner: ModelRunner
  #answers: Answers | undefined

  constructor(runner: ModelRunner) {
    this.#runner = runner
  }

  /**
   * All steps at once. Never waits for slots: those whose steps these are hold some, and might wait for each other.
   * @throws {NoRoom}; {OnnxRuntimeError}; ModelError if the tokenizer cannot tell digits apart; the signal's reason
   */
  readonly rate: AskScore = (steps, signal) => {
    const answers = (this.#answers ??= new Answers(this.#runner.model.tokenizer, SCORE_PREFILL, SCORES))
    return Promise.all(
      steps.map(({ draft, context }) =>
        answers.choose(this.#runner, this.#prompt(draft, context), { signal, salt: SALT, optional: true }),
      ),
    )
  }

  #prompt(step: string, { question, before }: StepContext = { question: '', before: '' }): string {
    const { tokenizer } = this.#runner.model
    const text = before + step
    if (!tokenizer.hasChatTemplate) return tokenizer.fenced(`${question}\n\n${text.trim()}\n\n${SCORE_QUESTION}\n\n`)
    return nonThinkingPrompt(tokenizer, [
      { role: 'user', content: question },
      { role: 'assistant', content: text },
      { role: 'user', content: SCORE_QUESTION },
    ])
  }
}
