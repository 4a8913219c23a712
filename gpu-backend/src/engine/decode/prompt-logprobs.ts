import { wholeLogits } from '../../model/index.ts'
import { giveTurn, needsTurn } from '../../model/pace.ts'
import { Priority } from '../memory/priority.ts'
import type { ModelRunner } from '../model-runner.ts'
import { tokenLogprob } from '../sampling/logits.ts'
import type { TokenLogprob } from '../sampling/logits.ts'
import { Tree } from './tree.ts'

/** Prompt tokens that are run at a time: whole rows of logits are held for each, of large vocabularies half a megabyte. */
const AT_ONCE = 64

interface PromptOptions {
  /** Likeliest tokens to report beside each. */
  most: number
  /** When the request arrived that goes on after the prompt. Default: none does, and this arrives now. */
  arrival?: number
  salt?: string | undefined
  signal: AbortSignal
}

/**
 * What a prompt's tokens are worth to the model, but for the first, before which nothing stands. All of them are run for
 * it, whatever others have run before, and stand in the prefix cache then.
 * @throws as `Tree.prefill`
 */
export async function promptLogprobs(
  runner: ModelRunner,
  prompt: readonly number[],
  { most, arrival = new Priority().arrival, ...options }: PromptOptions,
): Promise<TokenLogprob[]> {
  const logprobs: TokenLogprob[] = []
  runner.kv.countLookup(prompt.length, 0)
  for (let start = 1; start < prompt.length; start += AT_ONCE) {
    const next = prompt.slice(start, start + AT_ONCE)
    const tree = new Tree(runner, { ...options, arrival, counted: false })
    try {
      const rows = await tree.prefill(prompt.slice(0, start), next, [...next.keys()])
      tree.commit(next.length)
      for (const [i, token] of next.entries()) {
        if (needsTurn()) await giveTurn()
        logprobs.push(tokenLogprob(wholeLogits(rows[i]), token, most))
      }
    } finally {
      tree.release()
    }
  }
  return logprobs
}
