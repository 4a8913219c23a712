import type { Guess } from '../accept.ts'

/** Guesses what the target writes next in one text. Whatever it guesses, `accept` keeps the text the target's own. */
export interface Proposer {
  /**
   * Guesses for the tokens after `text`, at most `most`; none when it has nothing to say. How many it makes must not
   * depend on tokens it drew by chance. Every text goes on from the one before by a token or more.
   * @throws the request's signal's reason, and nothing else
   */
  propose(text: readonly number[], most: number): Guess[] | Promise<Guess[]>
  /** Set once it will never have anything to say again. */
  readonly silent?: boolean
  /** Gives back what it holds. Further calls do nothing. */
  close?(): void
}
