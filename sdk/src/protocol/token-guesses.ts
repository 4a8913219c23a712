import * as v from 'valibot'

const upTo = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(most))

/** Tokens guessed per forward of the target at most (γ2), by who guesses them; 0 is off. */
export const tokenGuesses = {
  /** Whether the drafted steps' tokens are taken as guesses of the target's. */
  drafted: v.boolean(),
  /** By n-gram lookup in the text so far, 0 to 32. */
  ngram: upTo(32),
  /** By the draft model, 0 to 16. */
  draft: upTo(16),
}
