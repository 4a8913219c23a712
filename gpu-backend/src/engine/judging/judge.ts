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

  /**
   * All pairs at once, in as few forwards as they fit; waits for slots. @returns for each whether the steps are aligned
   * @throws {OnnxRuntimeError}; the signal's reason
   */
  rule(pairs: readonly Comparison[], signal?: AbortSignal): Promise<boolean[]> {
    return Promise.all(pairs.map((pair) => this.#isAligned(pair, signal)))
  }

  async #isAligned(pair: Comparison, signal: AbortSignal | undefined): Promise<boolean> {
    const { prompt, answers } = this.#question
    return verdicts[await answers.choose(this.runner, prompt(pair), { signal })] === ALIGNED
  }
}
