import { guessesOf } from './controller.ts'
import type { Controller, Cycle, Lookahead, Plan } from './controller.ts'
import { DecayingSum, Line } from './learning.ts'
import type { TokenGuesses } from './token-guesses.ts'

/** Steps the target writes alone before lookahead is tried again: at first, and at most. */
const ALONE_STEPS = [4, 256] as const
/** How many times what a trial loses is written alone before the next one, at least. */
const TRIAL_PRICE = 16
/** Drafted steps after which the target is timed alone again: at first, when all is slow still, and at most. */
const RECHECK_AFTER = [64, 2048] as const
/** Steps it writes in a later timing: the first has told roughly, and every step written alone is a slow one. */
const RECHECK_STEPS = 2
/** How much of what the target took alone is kept when it is timed again. */
const ALONE_KEPT = 0.5
/** Cycles after which another depth is tried. */
const PROBE_AFTER = 16
/** Depths whose speeds differ by less count as equal. */
const TOLERANCE = 1.03
/** What a drafted token adds to a cycle, against what a cycle costs without any, before it is measured. */
const TOKEN_COST = 1 / 25
/** What a cycle took together with reading the prompt says little of the cycles to come. */
const LITTLE = 0.1
/** A cycle counts as at most so many times what was expected of it: now and then one is held up by something else. */
const OUTLIER = 3

/**
 * How many steps to draft ahead, from measured acceptance and cost (arXiv 2506.19830, §3.2). With `a` the chance that a drafted
 * step of `s` tokens is accepted, `d` of them commit `s·(a + … + a^d)` tokens, and what the target writes: `c` in place of the
 * first rejected one, `b` after them all. The cycle takes `x + y·s·d` milliseconds. All of these are measured, as is what a token
 * takes where the target writes alone, with token speculation where the mode has it. Of the depths with about the best ratio the
 * deepest is taken: what it loses in texts with a rejected step it gains in the others, and most have none. Where no depth gains,
 * the target writes alone, and lookahead is tried again after a while that doubles each time, and is the longer the more a trial
 * loses: it never costs much more than those trials.
 */
export class AdaptiveController implements Controller {
  readonly #most: number
  readonly #width: number
  readonly #tokens: TokenGuesses
  // Before anything is measured: four of five accepted, of 25 tokens, and as many written by the target.
  readonly #steps = { judged: new DecayingSum(5), accepted: new DecayingSum(4), tokens: new DecayingSum(100) }
  readonly #rejected = { cycles: new DecayingSum(1), tokens: new DecayingSum(12) }
  readonly #confirmed = { cycles: new DecayingSum(1), tokens: new DecayingSum(0) }
  readonly #drafted = { steps: new DecayingSum(4), tokens: new DecayingSum(100) }
  readonly #cost = new Line(TOKEN_COST)
  readonly #alone = { ms: new DecayingSum(0, ALONE_KEPT), tokens: new DecayingSum(0, ALONE_KEPT) }
  /** Cycles of lookahead, and drafted steps before the target is timed alone again. */
  #cycles = 0
  #untilRecheck = 0
  #recheckAfter: number = RECHECK_AFTER[0]
  /** How long the target writes alone when lookahead does not pay. */
  #aloneSteps: number = ALONE_STEPS[0]
  /** Whether it has, so that lookahead is tried again; and how many tokens of that a text that ended sooner has left. */
  #triesNext = false
  #left = 0
  /** Tokens that the target was to write alone. */
  #stretch = 0

  /** @param lookahead no cycle goes further ahead than its depth; each that drafts has its width */
  constructor(lookahead: Lookahead) {
    this.#most = lookahead.depth
    this.#width = lookahead.width ?? 1
    this.#tokens = guessesOf(lookahead)
  }

  next(): Plan {
    const { depth, gain } = this.#best()
    if (!this.#cost.isMeasured) return this.#ahead(depth)
    if (this.#untilRecheck <= 0) return this.#recheck()
    if (gain >= 1) this.#aloneSteps = ALONE_STEPS[0]
    const isDue = this.#triesNext && this.#left === 0
    return gain >= 1 || isDue ? this.#ahead(this.#probed(depth)) : this.#stretchOn(depth, gain)
  }

  observe({ drafted, draftedTokens, accepted, acceptedTokens, tokens, ms, readsPrompt, isLast }: Cycle): void {
    if (tokens === 0) return
    const weight = readsPrompt ? LITTLE : 1
    if (drafted === 0) {
      if (isLast) this.#left = Math.max(0, this.#stretch - tokens)
      return this.#wroteAlone(tokens, ms, weight)
    }
    this.#cycles++
    this.#untilRecheck -= drafted
    this.#drafted.steps.add(drafted)
    this.#drafted.tokens.add(draftedTokens)
    if (ms !== undefined) this.#took(draftedTokens, ms, weight)
    // The last steps of a text are short, and where it was cut they went unjudged.
    if (isLast) return
    // Steps after the first rejected one were never compared with what the target would say.
    this.#steps.judged.add(Math.min(accepted + 1, drafted))
    this.#steps.accepted.add(accepted)
    this.#steps.tokens.add(acceptedTokens)
    const outcome = accepted < drafted ? this.#rejected : this.#confirmed
    outcome.cycles.add(1)
    outcome.tokens.add(tokens - acceptedTokens)
  }

  #ahead(depth: number): Plan {
    this.#triesNext = false
    return { depth, width: this.#width, steps: 1, tokens: this.#tokens }
  }

  /** The target writes alone for a while, and is timed. */
  #targetAlone(steps: number): Plan {
    this.#untilRecheck = this.#recheckAfter
    return { depth: 0, width: 1, steps, tokens: this.#tokens }
  }

  /** Only to know how fast it is by now. */
  #recheck(): Plan {
    const plan = this.#targetAlone(this.#alone.tokens.sum > 0 ? RECHECK_STEPS : ALONE_STEPS[0])
    this.#recheckAfter = Math.min(2 * this.#recheckAfter, RECHECK_AFTER[1])
    this.#stretch = 0
    return plan
  }

  /** Instead of looking ahead, which would not pay; goes on with what an earlier text has left of it. */
  #stretchOn(depth: number, gain: number): Plan {
    const isNew = this.#left === 0
    const steps = isNew ? this.#longEnough(depth, gain) : Math.ceil(this.#left / this.#stepTokens)
    if (isNew) this.#aloneSteps = Math.min(2 * steps, ALONE_STEPS[1])
    this.#stretch = isNew ? steps * this.#stepTokens : this.#left
    this.#left = 0
    this.#triesNext = true
    return this.#targetAlone(steps)
  }

  /** Steps after which another trial at that depth costs little, whatever it loses. */
  #longEnough(depth: number, gain: number): number {
    const lostMs = this.#cost.at(depth * this.#stepTokens) * (1 - gain)
    const steps = Math.ceil((TRIAL_PRICE * lostMs) / (this.#aloneTokenMs * this.#stepTokens))
    return Math.min(Math.max(steps, this.#aloneSteps), ALONE_STEPS[1])
  }

  #took(draftedTokens: number, ms: number, weight: number): void {
    const most = this.#cost.isMeasured ? OUTLIER * this.#cost.at(draftedTokens) : ms
    this.#cost.add(draftedTokens, Math.min(ms, most), weight)
  }

  #wroteAlone(tokens: number, ms: number | undefined, weight: number): void {
    if (ms === undefined) return
    this.#alone.ms.add(weight * ms)
    this.#alone.tokens.add(weight * tokens)
  }

  /** Now and then a depth beside the best: half of it, or twice. */
  #probed(depth: number): number {
    if (this.#cycles % PROBE_AFTER !== PROBE_AFTER - 1) return depth
    return (this.#cycles / PROBE_AFTER) % 2 < 1 ? Math.ceil(depth / 2) : Math.min(2 * depth, this.#most)
  }

  /** The deepest of those that commit about the most tokens a millisecond, and its speed against the target's alone. */
  #best(): { depth: number; gain: number } {
    const speeds = Array.from({ length: this.#most }, (_, i) => this.#speed(i + 1))
    const enough = Math.max(...speeds) / TOLERANCE
    const index = speeds.findLastIndex((speed) => speed >= enough)
    return { depth: index + 1, gain: speeds[index]! * this.#aloneTokenMs }
  }

  get #aloneTokenMs(): number {
    const { ms, tokens } = this.#alone
    return tokens.sum > 0 ? ms.sum / tokens.sum : Infinity
  }

  get #stepTokens(): number {
    return this.#drafted.tokens.sum / this.#drafted.steps.sum
  }

  /** Tokens a millisecond. */
  #speed(depth: number): number {
    return this.#committed(depth) / this.#cost.at(depth * this.#stepTokens)
  }

  /** Tokens that a cycle commits on average. */
  #committed(depth: number): number {
    const { judged, accepted, tokens } = this.#steps
    const acceptance = accepted.sum / judged.sum
    let steps = 0
    for (let i = 1; i <= depth; i++) steps += acceptance ** i
    const all = acceptance ** depth
    return (
      (steps * tokens.sum) / accepted.sum +
      ((1 - all) * this.#rejected.tokens.sum) / this.#rejected.cycles.sum +
      (all * this.#confirmed.tokens.sum) / this.#confirmed.cycles.sum
    )
  }
}
