import { wholeLogits } from '../../model/index.ts'
import { giveTurn, needsTurn } from '../../model/pace.ts'
import { Age } from '../memory/priority.ts'
import type { Decoder } from '../decoder.ts'
import { tokenLogprob } from '../sampling/logits.ts'
import type { TokenLogprob } from '../sampling/logits.ts'
import { Tree } from './tree.ts'

/** Prompt tokens that are run at a time: whole rows of logits are held for each, of large vocabularies half a megabyte. */
const AT_ONCE = 64

/**
 * What a prompt's tokens are worth to the model, but for the first, before which nothing stands. All of them are run for
 * it, whatever others have run before, and stand in the prefix cache then.
 * @param most likeliest tokens to report beside each
 * @param came when the text came that is written after the prompt. Default: none is, and this comes now
 * @throws as `Tree.prefill`
 */
export async function promptLogprobs(
  decoder: Decoder,
  prompt: readonly number[],
  { most, came = new Age(false).came, signal }: { most: number; came?: number; signal: AbortSignal },
): Promise<TokenLogprob[]> {
  const logprobs: TokenLogprob[] = []
  decoder.prefix.queries += prompt.length
  for (let start = 1; start < prompt.length; start += AT_ONCE) {
    const next = prompt.slice(start, start + AT_ONCE)
    const tree = new Tree(decoder, { signal, came, counted: false })
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
