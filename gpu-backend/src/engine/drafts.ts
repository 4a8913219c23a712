import { addAbortListener } from 'node:events'
import { Meter } from './batching/meter.ts'
import { Lengths } from './speculation/speculator.ts'
import type { DraftStep } from './text/step.ts'

/**
 * After a rejected step the draft writes on at once where it has been right often enough: this many confirmed tokens for every
 * rejected step. A step of the demo models has 25.
 */
const KEPT = 32
/** Weight of the past after one more commit. */
const COMMIT_DECAY = 0.9

/**
 * The steps drafted after what is committed, in order: a draft call adds them, a verification takes them. Both may be at work
 * at once. A commit that confirms steps keeps those after them; once one is refuted, all that hangs on it is void, and the
 * draft goes on from what is committed in its place.
 */
export class Drafts {
  /** Milliseconds that the draft has worked, and what it took of its forwards; and of both what it took to read the text before. */
  ms = 0
  readonly meter = new Meter()
  readonly reading = { ms: 0, shareMs: 0 }
  /** What each way of guessing the draft's own tokens has been worth. */
  readonly lengths = new Lengths()
  /** How often drafted steps became void. A step whose writing began before the last time is void too. */
  refutations = 0
  readonly #steps: DraftStep[] = []
  #depth = 0
  #width = 1
  #overlaps = true
  #writers = 0
  /** A step was refuted, and what stands in its place is not committed yet. */
  #isRefuted = false
  #isVerified = false
  #isOver = false
  /** Tokens confirmed, and steps rejected, with the past counting less and less. The prior trusts the draft. */
  #kept = 2 * KEPT
  #refuted = 1
  #change = Promise.withResolvers<void>()

  get steps(): readonly DraftStep[] {
    return this.#steps
  }

  /** Alternatives that are wanted for each step. */
  get width(): number {
    return this.#width
  }

  /** Whether a draft call is at work, and may still add to the steps. */
  get isDrafted(): boolean {
    return this.#writers > 0 && this.#depth > 0 && this.#steps.at(-1)?.end !== 'text'
  }

  /** Whether a draft is at work that would go on well from the first refuted token; else the target writes to the step's end. */
  get goesOn(): boolean {
    return this.#writers > 0 && this.#depth > 0 && this.#kept >= KEPT * this.#refuted
  }

  /** The text has ended. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * How far ahead steps are drafted for verifications.
   * @param depth steps that may stand here
   * @param overlaps whether steps are drafted while others are verified
   * @param width alternatives for each
   */
  plan(depth: number, overlaps: boolean, width = 1): void {
    this.#depth = depth
    this.#width = width
    this.#overlaps = overlaps
    this.#changed()
  }

  find(id: string): DraftStep | undefined {
    return this.#steps.flatMap((step) => [step, ...(step.alternatives ?? [])]).find((step) => step.id === id)
  }

  add(step: DraftStep): void {
    this.#steps.push(step)
    this.#changed()
  }

  /** The draft has read the text before. */
  read({ ms, shareMs }: { ms: number; shareMs: number }): void {
    this.reading.ms += ms
    this.reading.shareMs += shareMs
  }

  /** A draft call writes here. @returns what to call when it ends */
  enter(): () => void {
    this.#writers++
    this.#changed()
    return () => {
      this.#writers--
      this.#changed()
    }
  }

  /** Waits until one more step is wanted. @returns false once the text is over; @throws the signal's reason */
  async wanted(signal: AbortSignal): Promise<boolean> {
    await this.#until(() => this.#isOver || this.#isWanted, signal)
    return !this.#isOver
  }

  /**
   * Waits for steps, as long as any can come, and lends them to a verification: those that stand here, or where drafting and
   * verification take turns, as many as are wanted. @throws the signal's reason
   */
  async next(signal: AbortSignal): Promise<readonly DraftStep[]> {
    const least = this.#overlaps ? 1 : this.#depth
    await this.#until(() => !this.isDrafted || this.#steps.length >= least, signal)
    this.#isVerified = true
    return this.#steps.slice(0, this.#depth)
  }

  /** What was drafted before is of no more use. */
  clear(): void {
    this.refute()
    this.#isRefuted = false
  }

  /** A step was rejected: all steps are void at once, also those still to be ruled on. */
  refute(): void {
    this.#steps.length = 0
    this.refutations++
    this.#isRefuted = true
    this.#changed()
  }

  /**
   * The first `accepted` steps are committed, and what the target wrote after them, if anything.
   * @param goesOn it wrote nothing: the steps after them stand
   * @param kept drafted tokens that stand
   */
  commit(accepted: number, { goesOn, kept = 0 }: { goesOn: boolean; kept?: number }): void {
    this.#kept = COMMIT_DECAY * this.#kept + kept
    this.#refuted = COMMIT_DECAY * this.#refuted + (this.#isRefuted ? 1 : 0)
    if (goesOn) this.#steps.splice(0, accepted)
    else if (!this.#isRefuted) this.refute()
    this.#isRefuted = false
    this.#isVerified = false
    this.#changed()
  }

  /** The text has ended: nothing more is drafted. */
  end(): void {
    this.#isOver = true
    this.#changed()
  }

  get #isWanted(): boolean {
    const isFull = this.#steps.length >= this.#depth || this.#steps.at(-1)?.end === 'text'
    return !isFull && !this.#isRefuted && (this.#overlaps || !this.#isVerified)
  }

  #changed(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    using _ = addAbortListener(signal, () => this.#changed())
    for (;;) {
      signal.throwIfAborted()
      if (condition()) return
      await this.#change.promise
    }
  }
}
