import type { Verdict } from '@lookahead/sdk/protocol'

export type Ruling = Pick<Verdict, 'accepted' | 'reason' | 'probability' | 'target'>

/** What ended a step: a delimiter or a sentence's end, the step cap, the end of the text, or no room for more tokens. */
export type StepEnd = 'delimiter' | 'cap' | 'text' | 'length'

/** The draft's version of a step. */
export interface DraftVersion {
  readonly text: string
  /** In the target's vocabulary. */
  readonly tokens: readonly number[]
  readonly end: Exclude<StepEnd, 'length'>
  /** Whether the target gives one of its tokens less than the verifier's `leastLogprob`, or the verifier does not keep them all. */
  readonly unlikely: boolean
}

/** The tokens that can be drawn in one place and their probabilities (sum 1), likeliest first; at temperature 0 the likeliest alone. */
export interface TokenDistribution {
  readonly tokens: readonly number[]
  readonly probabilities: readonly number[]
}

/** The target's, as far as it is written. */
export interface TargetVersion {
  readonly text: string
  readonly tokens: readonly number[]
  /** Undefined while it is being written. */
  readonly end: StepEnd | undefined
}

/** What stands before both. Read only by those who need it: it is made when it is first read. */
export interface StepContext {
  /** The last message of the user, or the prompt. */
  readonly question: string
  /** All that was written after it, up to the step. */
  readonly before: string
}

export interface Pair {
  readonly draft: DraftVersion
  readonly target: TargetVersion
  /** Undefined where nobody knows it. */
  readonly context?: StepContext | undefined
  /** What is to become of steps that the cap cut: `verify`, they are compared like whole ones. Default `reject`. */
  readonly halfSteps?: 'reject' | 'verify' | undefined
}

/** Decides which drafted steps stand (arXiv 2506.19830, §3.1). One object a verifier; no tensors and no HTTP. */
export interface Verifier {
  /** What a request asks for it by. */
  readonly name: string
  /** Natural log-probability, under the target, that a token of a drafted step must have for the step not to be `unlikely`. Default: any will do. */
  readonly leastLogprob?: number
  /**
   * How many of a drafted step's first tokens stand, by what the target would draw in their places alone. A verifier that has
   * this lets the target write no version of a step: one that is not kept whole is `unlikely`, and the target goes on after
   * the last token that stands.
   * @param p what the target draws token `i` from, as the request says: temperature, top-k, top-p and min-p are in it
   */
  kept?(tokens: readonly number[], p: (i: number) => TokenDistribution): number
  /**
   * A rejected step may be cut at its first rejected token: what stands before it is the target's own or as good, so the draft
   * may go on from there. Default: the target writes its version to the end, for that is what is compared.
   */
  readonly cuts?: boolean
  /** The same, as strict as a request says. Default: requests have no say in it. @param threshold above 0 and up to 1 */
  withThreshold?(threshold: number): Verifier
  /** What can be ruled at once, and asked again whenever the target has written more; undefined: nothing yet. */
  rule(pair: Pair): Ruling | undefined
  /**
   * Rules on the pairs whose target step has ended and on which `rule` still says nothing, all of a batch together. Those it
   * leaves open are rejected, and without it all such drafts are. What it throws rejects them too, as `judge_failed`.
   * @throws the signal's reason
   */
  ask?(pairs: readonly Pair[], signal: AbortSignal): Promise<readonly (Ruling | undefined)[]>
}

export const accepted = (reason: Ruling['reason']): Ruling => ({ accepted: true, reason })
export const rejected = (reason: Ruling['reason']): Ruling => ({ accepted: false, reason })
