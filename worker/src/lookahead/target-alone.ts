import { DecayingSum } from './learning.ts'

/** Steps it writes where looking ahead does not pay, before that is tried again: at first, and at most. */
const STEPS = [4, 256] as const
/** How many times what a trial loses is written alone before the next one, at least. */
const TRIAL_PRICE = 16
/** Drafted steps after which it is timed again: at first, when all is slow still, and at most. */
const TIMED_AFTER = [64, 2048] as const
/** Steps it writes in a later timing: the first has told roughly, and every step written alone is a slow one. */
const TIMED_STEPS = 2
/** How much of what it took is kept when it is timed again. */
const KEPT = 0.5

/** When the target writes alone, and for how many steps: now and then to be timed, and where looking ahead does not pay. */
export class TargetAlone {
  readonly #ms = new DecayingSum(0, KEPT)
  readonly #tokens = new DecayingSum(0, KEPT)
  /** Drafted steps before it is timed. */
  #untilTimed = 0
  #timedAfter: number = TIMED_AFTER[0]
  /** How long it writes before the next trial, at least. */
  #steps: number = STEPS[0]
  /** Whether a trial is next. */
  #isTrialNext = false
  /** Tokens that it was to write, and those that a text which ended sooner has left. */
  #stretch = 0
  #left = 0

  /** What a token takes, in milliseconds. Infinity: nobody knows yet. */
  get tokenMs(): number {
    return this.#tokens.sum > 0 ? this.#ms.sum / this.#tokens.sum : Infinity
  }

  /** @returns steps to write where it is time for that. */
  timing(): number | undefined {
    if (this.#untilTimed > 0) return undefined
    const steps = this.tokenMs < Infinity ? TIMED_STEPS : STEPS[0]
    this.#untilTimed = this.#timedAfter
    this.#timedAfter = Math.min(4 * this.#timedAfter, TIMED_AFTER[1])
    this.#stretch = 0
    return steps
  }

  /** Looking ahead pays. */
  pays(): void {
    this.#steps = STEPS[0]
    this.#isTrialNext = false
  }

  /**
   * Looking ahead does not pay. What an earlier text has left of a stretch comes first.
   * @param lostMs what a trial would lose
   * @param stepTokens tokens of a step
   * @returns steps to write before a trial; undefined: they have been written
   */
  stretch(lostMs: number, stepTokens: number): number | undefined {
    const [left, isOver] = [this.#left, this.#isTrialNext && this.#left === 0]
    this.#left = 0
    this.#isTrialNext = !isOver
    if (isOver) return undefined
    this.#untilTimed = this.#timedAfter
    const steps = left > 0 ? Math.ceil(left / stepTokens) : this.#longEnough(lostMs / stepTokens)
    this.#stretch = left || steps * stepTokens
    return steps
  }

  /** The longer, the more a trial loses; and twice as long each time. */
  #longEnough(lostMs: number): number {
    const steps = Math.ceil((TRIAL_PRICE * lostMs) / this.tokenMs)
    const most = STEPS[1]
    const chosen = Math.min(Math.max(steps, this.#steps), most)
    this.#steps = Math.min(2 * chosen, most)
    return chosen
  }

  /** So many steps were drafted. */
  drafted(steps: number): void {
    this.#untilTimed -= steps
  }

  /** @param ms undefined: nobody can say @param weight how much it says @param isLast the text has ended */
  wrote(tokens: number, ms: number | undefined, weight: number, isLast: boolean): void {
    if (isLast) this.#left = Math.max(0, this.#stretch - tokens)
    if (ms === undefined) return
    this.#ms.add(weight * ms)
    this.#tokens.add(weight * tokens)
  }
}
