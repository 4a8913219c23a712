/** How far the next cycle looks ahead: steps, alternatives, tokens. Numbers alone, whatever writes the text. */
import type { Mode, RunRequest } from '@lookahead/sdk/protocol'

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

/** How many tokens may be guessed in one forward (γ2), by who guesses them; 0 is off. */
export interface TokenGuesses {
  /** Whether the drafted steps' tokens are taken as guesses of the target's. */
  drafted: boolean
  /** By n-gram of the text so far. */
  ngram: number
  /** By the draft model. */
  draft: number
}

/** What one cycle did and took. */
export interface Cycle {
  /** 0: the target wrote alone. */
  drafted: number
  accepted: number
  /** Steps and tokens committed. */
  steps: number
  tokens: number
  /** Wall time, drafting and waiting included; undefined where it is not to be learned from. */
  ms: number | undefined
}

/** Plans cycles. */
export interface Controller {
  next(): Plan
  /** Is told of every cycle but a text's last. */
  observe(cycle: Cycle): void
}

type Lookahead = Pick<RunRequest['lookahead'], 'mode' | 'depth'> & Partial<Pick<RunRequest['lookahead'], 'width'>>

const NO_GUESSES: TokenGuesses = { drafted: false, ngram: 0, draft: 0 }

const modes: Record<Mode, { steps: boolean; tokens: TokenGuesses }> = {
  ar: { steps: false, tokens: NO_GUESSES },
  sd: { steps: false, tokens: { drafted: false, ngram: 8, draft: 16 } },
  lr: { steps: true, tokens: NO_GUESSES },
  'lr+sd': { steps: true, tokens: { drafted: true, ngram: 8, draft: 16 } },
  auto: { steps: true, tokens: { drafted: true, ngram: 8, draft: 16 } },
}

/** Whether a mode drafts steps at all. */
export const draftsSteps = (mode: Mode): boolean => modes[mode].steps

/** Plain decoding, to the end of the text. */
export const plain = (tokens: TokenGuesses): Plan => ({ depth: 0, width: 1, steps: 'end', tokens })

/** Always as far as was asked. */
export function fixedController({ mode, depth, width = 1 }: Lookahead): Controller {
  const { steps, tokens } = modes[mode]
  const plan: Plan = steps ? { depth, width, steps: 1, tokens } : plain(tokens)
  return { next: () => plan, observe: () => undefined }
}

/** Weight of the past after one more cycle: the last 20 or so count. */
const DECAY = 0.95
/** Steps the target writes alone before lookahead is tried again: at first, and at most. */
const ALONE_STEPS = [4, 256] as const
/**
 * What one more drafted step adds to a cycle's cost, as a share of a cycle without any. Measured with the demo models on two
 * cores: 0.16. Only the scale is learned: cycles of one run have too few depths for a slope.
 */
const MARGINAL = 0.16
/** Cycles of lookahead after which the target is timed alone again. */
const RECHECK_AFTER = 64

/**
 * How many steps to draft ahead, from measured acceptance and cost (paper §3.2): with `a` the chance that a drafted step
 * is accepted, `d` of them commit `1 + a + … + a^d` steps, and the cycle costs `c·(1 + d·MARGINAL)`, counted in steps that
 * the target writes alone (with token speculation, where the mode has it). The depth with the best ratio is taken. Where
 * none gains, the target writes alone, and lookahead is tried again after a while that doubles each time: it never costs
 * much more than those trials.
 */
export class AdaptiveController implements Controller {
  readonly #most: number
  readonly #width: number
  readonly #tokens: TokenGuesses
  // Before anything is measured: four of five accepted.
  readonly #judged = new DecayingSum(5)
  readonly #accepted = new DecayingSum(4)
  /** Cost of the cycles seen, and what `shape` gives for them. */
  readonly #cost = { measured: new DecayingSum(1), shape: new DecayingSum(1) }
  readonly #committed = { tokens: new DecayingSum(0), steps: new DecayingSum(0) }
  readonly #alone = { ms: new DecayingSum(0), tokens: new DecayingSum(0) }
  #measured = false
  /** Cycles of lookahead since the target was timed alone. */
  #sinceAlone = RECHECK_AFTER
  /** How long the target writes alone when lookahead does not pay. */
  #aloneSteps: number = ALONE_STEPS[0]
  /** Whether it has, so that lookahead is tried again. */
  #triesNext = false

  /** @param lookahead its depth is the first cycle's, and never exceeded; its width is every cycle's that drafts */
  constructor({ mode, depth, width = 1 }: Lookahead) {
    this.#most = depth
    this.#width = width
    this.#tokens = modes[mode].tokens
  }

  next(): Plan {
    if (!this.#measured) return this.#ahead(this.#most)
    if (this.#sinceAlone >= RECHECK_AFTER) return this.#targetAlone(ALONE_STEPS[0])
    const { depth, gain } = this.#best()
    if (gain >= 1) this.#aloneSteps = ALONE_STEPS[0]
    if (gain >= 1 || this.#triesNext) {
      this.#triesNext = false
      return this.#ahead(depth)
    }
    this.#triesNext = true
    const steps = this.#aloneSteps
    this.#aloneSteps = Math.min(2 * steps, ALONE_STEPS[1])
    return this.#targetAlone(steps)
  }

  observe({ drafted, accepted, steps, tokens, ms }: Cycle): void {
    if (tokens === 0 || steps === 0) return
    if (drafted === 0) return this.#timedAlone(tokens, ms)
    this.#measured = true
    this.#sinceAlone++
    // Steps after the first rejected one were never compared with what the target would say.
    this.#judged.add(Math.min(accepted + 1, drafted))
    this.#accepted.add(accepted)
    this.#committed.tokens.add(tokens)
    this.#committed.steps.add(steps)
    // A cycle's own steps may be short ones: what a step is, all the cycles say together.
    const stepTokens = this.#committed.tokens.sum / this.#committed.steps.sum
    const stepMs = (this.#alone.ms.sum / this.#alone.tokens.sum) * stepTokens
    if (ms === undefined || !(stepMs > 0)) return
    this.#cost.measured.add(ms / stepMs)
    this.#cost.shape.add(shape(drafted))
  }

  #ahead(depth: number): Plan {
    return { depth, width: this.#width, steps: 1, tokens: this.#tokens }
  }

  /** The target writes alone for a while, and is timed. */
  #targetAlone(steps: number): Plan {
    return { depth: 0, width: 1, steps, tokens: this.#tokens }
  }

  #timedAlone(tokens: number, ms: number | undefined): void {
    if (ms === undefined) return
    this.#sinceAlone = 0
    this.#alone.ms.add(ms)
    this.#alone.tokens.add(tokens)
  }

  #best(): { depth: number; gain: number } {
    const acceptance = this.#accepted.sum / this.#judged.sum
    const scale = this.#cost.measured.sum / this.#cost.shape.sum
    let best = { depth: 1, gain: 0 }
    let committed = 1
    for (let depth = 1; depth <= this.#most; depth++) {
      committed += acceptance ** depth
      const gain = committed / (scale * shape(depth))
      if (gain > best.gain) best = { depth, gain }
    }
    return best
  }
}

const shape = (depth: number): number => 1 + MARGINAL * depth

/** A sum in which the past counts less and less. */
class DecayingSum {
  sum: number

  constructor(start: number) {
    this.sum = start
  }

  add(value: number): void {
    this.sum = DECAY * this.sum + value
  }
}
