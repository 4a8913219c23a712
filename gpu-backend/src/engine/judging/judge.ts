import type { Comparison } from '@lookahead/worker/verifiers'
import type { ModelRunner } from '../model-runner.ts'
import { ALIGNED } from './judge-prompt.ts'
import { verdicts } from './judge-question.ts'
import type { JudgeQuestion } from './judge-question.ts'

/** Asks a model whether two steps mean the same and compute the same: one prefill each, decided by the first token of the verdict. */
export class Judge {
  readonly runner: ModelRunner
  readonly #question: JudgeQuestion

  constructor(runner: ModelRunner, question: JudgeQuestion) {
    this.runner = runner
    this.#question = question
  }

  /** Whether it can be asked other things than its own question. */
  get isChat(): boolean {
    return this.#question.isChat
  }

  /**
   * All pairs at once, in as few forwards as they fit; waits for slots. @returns for each how probable it is that the steps are aligned: above 0.5, they are
   * @throws {OnnxRuntimeError}; the signal's reason
   */
  rule(pairs: readonly Comparison[], signal?: AbortSignal): Promise<number[]> {
    return Promise.all(pairs.map((pair) => this.#aligned(pair, signal)))
  }

  async #aligned(pair: Comparison, signal: AbortSignal | undefined): Promise<number> {
    const { prompt, answers } = this.#question
    const probabilities = await answers.weigh(this.runner, prompt(pair), { signal })
    return probabilities[verdicts.indexOf(ALIGNED)]!
  }
}
