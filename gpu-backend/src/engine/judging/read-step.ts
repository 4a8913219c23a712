import { wholeLogits } from '../../model/index.ts'
import { Tree } from '../decode/tree.ts'
import type { ModelRunner } from '../model-runner.ts'
import { distribution, samplingParameters } from '../sampling/distribution.ts'
import type { Distribution, Sampling } from '../sampling/distribution.ts'
import { tokenLogprob } from '../sampling/logits.ts'

/** What a model thinks of one token in its place. */
export interface TokenOpinion {
  /** Natural log-probability, of the whole vocabulary at temperature 1. */
  logprob: number
  /** What it would draw from there. */
  p: Distribution
}

/**
 * What a model thinks of each token of a step in its place. One forward; what stands before the step is found in the prefix
 * cache the next time.
 * @param options how it draws; default: the model's own way
 * @throws as `Tree.prefill`
 */
export async function readStep(
  runner: ModelRunner,
  before: readonly number[],
  step: readonly number[],
  { sampling = {}, signal }: { sampling?: Sampling; signal?: AbortSignal } = {},
): Promise<TokenOpinion[]> {
  const parameters = samplingParameters(sampling, runner.model.generation, 0)
  const tree = new Tree(runner, { signal })
  try {
    const rows = await tree.prefill(before, step, [...step.keys()])
    return step.map((token, i) => {
      const logits = wholeLogits(rows[i])
      return { logprob: tokenLogprob(logits, token, 0).logprob, p: distribution(logits, parameters) }
    })
  } finally {
    tree.release()
  }
}
