/** How many tokens may be guessed in one forward (γ2), by who guesses them; 0 is off. */
export interface TokenGuesses {
  /** Whether the drafted steps' tokens are taken as guesses of the target's. */
  drafted: boolean
  /** By n-gram of the text so far. */
  ngram: number
  /** By the draft model. */
  draft: number
}
