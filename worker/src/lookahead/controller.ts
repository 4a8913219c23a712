/** How far the next cycle looks ahead: steps, alternatives, tokens. Numbers alone, whatever writes the text. */
import type { Mode, RunRequest } from '@lookahead/sdk/protocol'
import type { TokenGuesses } from './token-guesses.ts'
import type { Share } from './upstream.ts'

/** What the next cycle is to do. */
export interface Plan {
  /** Steps to draft ahead (γ1); 0: the target writes alone. */
  depth: number
  /** Alternatives to draft for each of them. */
  width: number
  /** Steps the target writes after those it accepts; `end`: to the end of the text. */
  steps: number | 'end'
  tokens: TokenGuesses
}

/** What one cycle did and took. */
export interface Cycle {
  /** 0: the target wrote alone. */
  drafted: number
  /** Tokens of the drafted steps; of alternatives, those of the first. */
  draftedTokens: number
  accepted: number
  /** Tokens of the accepted steps, and all that were committed. */
  acceptedTokens: number
  tokens: number
  /** Its phases together: being let in, drafting, the target, the judge; undefined: nobody can say. */
  ms: number | undefined
  /** What it took of the engine, of one that tells. */
  share?: Share | undefined
  /** `ms` has the prompt's time in it. */
  readsPrompt: boolean
  /** The text ended in it. */
  isLast: boolean
}

/** Plans cycles. */
export interface Controller {
  next(): Plan
  /** Is told of every cycle. */
  observe(cycle: Cycle): void
}

/** What a request says of it. */
export type Lookahead = Pick<RunRequest['lookahead'], 'mode' | 'depth'> &
  Partial<Pick<RunRequest['lookahead'], 'tokens' | 'width'>>

const NO_GUESSES: TokenGuesses = { drafted: false, ngram: 0, draft: 0 }

/** What each mode does; `auto` at most. */
const modes: Record<Mode, { steps: boolean; tokens: TokenGuesses }> = {
  ar: { steps: false, tokens: NO_GUESSES },
  sd: { steps: false, tokens: { drafted: false, ngram: 8, draft: 16 } },
  lr: { steps: true, tokens: NO_GUESSES },
  'lr+sd': { steps: true, tokens: { drafted: true, ngram: 8, draft: 16 } },
  auto: { steps: true, tokens: { drafted: true, ngram: 8, draft: 16 } },
}

/** Whether a mode drafts steps at all. */
export const draftsSteps = (mode: Mode): boolean => modes[mode].steps

/** As many as the mode guesses, unless the request says otherwise; where it guesses none, none. */
export function guessesOf({ mode, tokens: wanted }: Lookahead): TokenGuesses {
  const { tokens } = modes[mode]
  return tokens === NO_GUESSES ? tokens : { ...tokens, ...wanted }
}

/** Plain decoding, to the end of the text. */
export const plain = (tokens: TokenGuesses): Plan => ({ depth: 0, width: 1, steps: 'end', tokens })

/** Always as far as was asked. */
export function fixedController(lookahead: Lookahead): Controller {
  const { mode, depth, width = 1 } = lookahead
  const tokens = guessesOf(lookahead)
  const plan: Plan = draftsSteps(mode) ? { depth, width, steps: 1, tokens } : plain(tokens)
  return { next: () => plan, observe: () => undefined }
}
