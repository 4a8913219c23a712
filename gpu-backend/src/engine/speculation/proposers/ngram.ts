/** Prompt lookup: what followed the last time these tokens stood here? (Saxena 2023; vLLM's `ngram`.) */
import type { Guess } from '../accept.ts'
import type { Proposer, ProposerKind } from './proposer.ts'

/** How many guesses a match of n tokens is worth: short matches are mostly chance. */
const worth = (n: number, most: number): number => (n >= 4 ? most : n === 3 ? Math.ceil(most / 2) : Math.ceil(most / 4))

/**
 * Guesses for the tokens after `written`, copied from behind the latest earlier place where its last tokens stand.
 * @param corpus tokens to look in; `written` may be its end
 * @param most guesses at most
 * @param shortest shortest match that counts, in tokens
 */
export function lookup(
  corpus: readonly number[],
  written: readonly number[],
  most: number,
  { longest = 4, shortest = 2 }: { longest?: number; shortest?: number } = {},
): number[] {
  const last = written.length
  let best = { length: 0, end: -1 }
  for (let end = corpus.length - 1; end > 0 && best.length < longest; end--) {
    let n = 0
    while (n < longest && n < end && n < last && corpus[end - 1 - n] === written[last - 1 - n]) n++
    if (n > best.length) best = { length: n, end }
  }
  if (best.length < shortest) return []
  return corpus.slice(best.end, best.end + worth(best.length, most))
}

/** Looks in the text itself. */
export const ngramProposer: Proposer = {
  isFree: true,
  propose: (sequence, most) => certain(lookup(sequence, sequence, most)),
}

export const ngrams: ProposerKind = { name: 'ngram', most: ({ ngram }) => ngram, create: () => ngramProposer }

/** Guesses without a distribution: each counts as certain of itself. */
export const certain = (tokens: readonly number[]): Guess[] => tokens.map((token) => ({ token }))
