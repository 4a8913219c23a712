import { guessesOf } from './controller.ts'
import type { Controller, Cycle, Lookahead, Plan } from './controller.ts'
import { DecayingSum, Line } from './learning.ts'
import { TargetAlone } from './target-alone.ts'
import type { TokenGuesses } from './token-guesses.ts'

/** Cycles after which another depth is tried, unless they are so different by themselves that what a token costs shows anyway. */
const PROBE_AFTER = 16
const WIDE_SPREAD = 0.3
/** Depths whose speeds differ by less count as equal. */
const TOLERANCE = 1.03
/** So much slower the depth of now may be before a shallower one is taken: after a few rejected steps all seem too deep. */
const TOLERANCE_OF_NOW = 1.06
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
  readonly #alone = new TargetAlone()
  /** The best depth of late. */
  #depth = 0
  /** Cycles of lookahead. */
  #cycles = 0

  /** @param lookahead no cycle goes further ahead than its depth; each that drafts has its width */
  constructor(lookahead: Lookahead) {
    this.#most = lookahead.depth
    this.#width = lookahead.width ?? 1
    this.#tokens = guessesOf(lookahead)
  }

  next(): Plan {
    const { depth, gain } = this.#best()
    if (!this.#cost.isMeasured) return this.#ahead(depth)
    if (gain >= 1) this.#alone.pays()
    const alone =
      this.#alone.timing() ?? (gain < 1 ? this.#alone.stretch(this.#lostMs(depth, gain), this.#stepTokens) : undefined)
    return alone === undefined ? this.#ahead(this.#probed(depth)) : this.#targetAlone(alone)
  }

  observe({ drafted, draftedTokens, accepted, acceptedTokens, tokens, ms, readsPrompt, isLast }: Cycle): void {
    if (tokens === 0) return
    const weight = readsPrompt ? LITTLE : 1
    if (drafted === 0) return this.#alone.wrote(tokens, ms, weight, isLast)
    this.#cycles++
    this.#alone.drafted(drafted)
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
    return { depth, width: this.#width, steps: 1, tokens: this.#tokens }
  }

  #targetAlone(steps: number): Plan {
    return { depth: 0, width: 1, steps, tokens: this.#tokens }
  }

  #took(draftedTokens: number, ms: number, weight: number): void {
    const most = this.#cost.isMeasured ? OUTLIER * this.#cost.at(draftedTokens) : ms
    this.#cost.add(draftedTokens, Math.min(ms, most), weight)
  }

  /** Now and then a depth beside the best: half of it, or twice. */
  #probed(depth: number): number {
    if (this.#cycles % PROBE_AFTER !== PROBE_AFTER - 1 || this.#cost.spread > WIDE_SPREAD) return depth
    return (this.#cycles / PROBE_AFTER) % 2 < 1 ? Math.ceil(depth / 2) : Math.min(2 * depth, this.#most)
  }

  /** The deepest of those that commit about the most tokens a millisecond, and its speed against the target's alone. */
  #best(): { depth: number; gain: number } {
    const speeds = Array.from({ length: this.#most }, (_, i) => this.#speed(i + 1))
    const gains = speeds.map((speed) => speed * this.#alone.tokenMs)
    const isKept = (depth: number) => depth === this.#depth && gains[depth - 1]! >= 1
    const enough = (depth: number) => Math.max(...speeds) / (isKept(depth) ? TOLERANCE_OF_NOW : TOLERANCE)
    const index = speeds.findLastIndex((speed, i) => speed >= enough(i + 1))
    this.#depth = index + 1
    return { depth: this.#depth, gain: gains[index]! }
  }

  /** What a cycle takes longer than the target alone would. */
  #lostMs(depth: number, gain: number): number {
    return this.#cost.at(depth * this.#stepTokens) * (1 - gain)
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
