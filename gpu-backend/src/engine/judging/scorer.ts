import type { AskScore, StepContext } from '@lookahead/worker/verifiers'
import type { ModelRunner } from '../model-runner.ts'
import { Answers } from './answers.ts'

/** SpecReason's question (arXiv 2504.07891; its `get_score`), in our words. */
const QUESTION =
  'Rate the last reasoning step by nothing but whether it is right: whether what it says is true, and whether it follows from ' +
  'the steps before it. Style, wording and usefulness do not count. Give a score from 0 to 9.'
const PREFILL = 'I think the quality score is: '
/** Nobody's own texts find what was asked of others'. */
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
    const answers = (this.#answers ??= new Answers(this.#runner.model.tokenizer, PREFILL, SCORES))
    return Promise.all(
      steps.map(({ draft, context }) =>
        answers.choose(this.#runner, this.#prompt(draft, context), { signal, salt: SALT, optional: true }),
      ),
    )
  }

  #prompt(step: string, { question, before }: StepContext = { question: '', before: '' }): string {
    const { tokenizer } = this.#runner.model
    const text = before + step
    if (!tokenizer.hasChatTemplate) return `${question}\n\n${text.trim()}\n\n${QUESTION}\n\n`
    const messages = [
      { role: 'user', content: question },
      { role: 'assistant', content: text },
      { role: 'user', content: QUESTION },
    ]
    return tokenizer.renderChat(messages, { addGenerationPrompt: true })
  }
}
