/** What is written, whoever writes it: steps one after another, and how well they and their tokens are guessed. */
import { randomFrom } from './random.ts'

/** One place in the text. */
export interface Step {
  /** Tokens of the drafted step. */
  drafted: number
  /** Tokens of the target's own version. */
  own: number
  /** How many of the drafted tokens, from the first on, the target would have written too; `own` where all of them. */
  agreed: number
  /** Whether the verifier takes the drafted step for the target's. */
  accepted: boolean
}

export interface Text {
  steps: readonly Step[]
  /** Chance that a guessed token is accepted, given that those before it were (α2), by its place in the text. */
  tokenAcceptance: (position: number) => number
}

/** What a text is drawn from. */
export interface Rates {
  /** α1. */
  steps: number
  /** α2 at the beginning. */
  tokens: number
  /** Tokens of text after which α2 has fallen to a half. Default: never. */
  tokensHalveAfter?: number | undefined
  /** Tokens of a step. */
  stepTokens: number
  /** Chance that a drafted token is the target's, given that those before it were. Default 0: the target's versions share nothing. */
  agreement?: number | undefined
}

/** Draws `count` steps: each accepted by α1, independently of the others. The same for the same seed. */
export function drawText(rates: Rates, count: number, seed: number): Text {
  const random = randomFrom(seed)
  const { stepTokens, agreement = 0 } = rates
  const agreed = () => {
    let tokens = 0
    while (tokens < stepTokens && random() < agreement) tokens++
    return tokens
  }
  const steps = Array.from({ length: count }, () => {
    const tokens = { drafted: stepTokens, own: stepTokens, agreed: agreed() }
    // The same tokens are the same step.
    return { ...tokens, accepted: random() < rates.steps || tokens.agreed === stepTokens }
  })
  return { steps, tokenAcceptance: decaying(rates.tokens, rates.tokensHalveAfter) }
}

/** `start` at the beginning of the text, half of it after every `halveAfter` tokens. */
export const decaying =
  (start: number, halveAfter = Infinity) =>
  (position: number): number =>
    start * 0.5 ** (position / halveAfter)
