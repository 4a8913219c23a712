import { wholeLogits } from '../../model/index.ts'
import { Tree } from '../decode/tree.ts'
import type { ModelRunner } from '../model-runner.ts'
import { tokenLogprob } from '../sampling/logits.ts'

/**
 * What a model thinks of a step in its place: the natural log-probability of each of its tokens, of the whole vocabulary at
 * temperature 1. One forward; what stands before the step is found in the prefix cache the next time.
 * @throws as `Tree.prefill`
 */
export async function stepLogprobs(
  runner: ModelRunner,
  before: readonly number[],
  step: readonly number[],
  signal?: AbortSignal,
): Promise<number[]> {
  const tree = new Tree(runner, { signal })
  try {
    const rows = await tree.prefill(before, step, [...step.keys()])
    return step.map((token, i) => tokenLogprob(wholeLogits(rows[i]), token, 0).logprob)
  } finally {
    tree.release()
  }
}
