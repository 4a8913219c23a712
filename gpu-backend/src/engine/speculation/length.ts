import type { Costs } from './costs.ts'

/** Weight of earlier proposals after one more: about the last 20 count. */
const PROPOSAL_DECAY = 0.95
/** Prior: two guesses, 90 % of them right. A short text would end before a low start could rise. */
const FIRST_GUESS_PRIOR = { tries: 2, hits: 1.8 }
/** Pseudo-observations that a guess is right as often as the one before it. */
const NEXT_GUESS_WEIGHT = 2
/** Hysteresis: a change must gain 5 %. */
const MARGIN = 1.05
/** Forwards without guesses before a trial: at first, and at most; each failed trial doubles them. */
const TRIAL_GAP = { first: 16, most: 512 } as const

export interface Situation {
  /** Guesses at most. */
  most: number
  costs: Costs
  /** Requests that share each forward, and texts of theirs: branches count one by one. Default 1 each. */
  rows?: number
  texts?: number
  /** What another proposer would gain here, against plain decoding. Default 1: there is no other. */
  rival?: number
}

/**
 * How many tokens to guess, from measured acceptance and cost (Leviathan et al., arXiv 2211.17192, §3.3, with a rate for each
 * position): with `a_i` the chance that guess i is right once those before it are, k guesses give `1 + a_1 + a_1·a_2 + …`
 * tokens, for one forward of k + 1 tokens and k guesses. The k with the best ratio is taken. Where none gains, nothing is
 * guessed, but for a trial after a while that doubles with each trial that fails.
 */
export class SpeculationLength {
  /** For each position, how often its guess was judged, and how often it was right. */
  readonly #positions: { tries: number; hits: number }[] = [{ ...FIRST_GUESS_PRIOR }]
  /** Guesses made last: another count must be worth a change. */
  #current = 0
  /** While off, forwards without guesses are counted, and after `gap` of them comes a trial. */
  #on = true
  #waited = 0
  #gap: number = TRIAL_GAP.first

  /** Guesses to make now. */
  next(situation: Situation): number {
    const { most, rival = 1 } = situation
    if (most <= 0) return 0
    const best = this.#best(situation)
    const gain = this.#gain(best, situation)
    if (this.#on && gain < rival) this.#turnOff()
    else if (!this.#on && gain > rival * MARGIN) this.#turnOn()
    if (!this.#on && !this.#isTrialDue(situation)) return 0
    if (this.#current === 0 || this.#current > most || gain > this.#gain(this.#current, situation) * MARGIN)
      this.#current = best
    return this.#current
  }

  #turnOff(): void {
    this.#on = false
    this.#waited = 0
  }

  #turnOn(): void {
    this.#on = true
    this.#gap = TRIAL_GAP.first
  }

  #isTrialDue(situation: Situation): boolean {
    const { most, rival = 1 } = situation
    // Where not even right guesses would pay, there is nothing to try.
    const ifAllWereRight = Math.max(ratio(2, 1, situation), ratio(most + 1, most, situation))
    return ifAllWereRight > rival && ++this.#waited > this.#gap
  }

  observe(proposed: number, accepted: number): void {
    for (let i = 0; i < Math.min(accepted + 1, proposed); i++) {
      const position = (this.#positions[i] ??= { tries: 0, hits: 0 })
      position.tries = PROPOSAL_DECAY * position.tries + 1
      position.hits = PROPOSAL_DECAY * position.hits + (i < accepted ? 1 : 0)
    }
    if (this.#on || proposed === 0) return
    // A trial: where it hits, the next one follows at once.
    this.#waited = accepted > 0 ? this.#gap : 0
    if (accepted === 0) this.#gap = Math.min(2 * this.#gap, TRIAL_GAP.most)
  }

  /** Tokens per time at the best length, against plain decoding; 1 when nothing is guessed. */
  gain(situation: Situation): number {
    return this.#on && situation.most > 0 ? Math.max(1, this.#gain(this.#best(situation), situation)) : 1
  }

  #best(situation: Situation): number {
    let best = { count: 1, gain: 0 }
    for (let count = 1; count <= situation.most; count++) {
      const gain = this.#gain(count, situation)
      if (gain > best.gain) best = { count, gain }
    }
    return best.count
  }

  #gain(count: number, situation: Situation): number {
    let tokens = 1
    let reached = 1
    let rate = 0
    for (let i = 0; i < count; i++) {
      const { tries, hits } = this.#positions[i] ?? { tries: 0, hits: 0 }
      rate = i === 0 ? hits / tries : (hits + NEXT_GUESS_WEIGHT * rate) / (tries + NEXT_GUESS_WEIGHT)
      reached *= rate
      tokens += reached
    }
    return ratio(tokens, count, situation)
  }
}

/** Tokens per time, against plain decoding, when `count` guesses give `tokens`. */
function ratio(tokens: number, count: number, { costs, rows = 1, texts = 1 }: Situation): number {
  const guessing = costs.forward(rows, texts * (count + 1)) + count * costs.guess(texts)
  return (tokens * costs.forward(rows, texts)) / guessing
}
