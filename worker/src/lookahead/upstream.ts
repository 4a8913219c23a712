/** What the cycle asks of an engine. An engine knows nothing of runs, and the cycle nothing of HTTP, tokens' ids or models. */
import type { ChannelState, FinishReason, Message, OpenWord, Sampling, StepRules } from '@lookahead/sdk/protocol'
import type { TokenGuesses } from './token-guesses.ts'

/** An engine: a target model, and perhaps a draft model and verifiers. */
export interface Upstream {
  /** Begins a text. Nothing need be sent before it is worked on. */
  open(text: TextRequest): Session
  /**
   * Takes up a text that was begun elsewhere. With an engine without it a run ends with the process that wrote it.
   * @param output ids of the tokens that it has so far
   */
  takeUp?(text: TextRequest, output: readonly number[]): Session
}

/** A text that is to be written. */
export interface TextRequest {
  /** Names it, and is like no other text's. */
  id: string
  /** Chat messages, or a prompt that is taken as it stands; exactly one. */
  messages?: Message[] | undefined
  prompt?: string | undefined
  sampling: Sampling
  /** Strings that end the text and are not part of it; looked for in the answer alone, or in the thinking too. */
  stop: string[]
  stopInReasoning: boolean
  /** How it is cut into steps. Default: as the engine finds best. */
  steps?: StepRules | undefined
  /**
   * Whether no verifier was named: an engine that cannot do what the one does that its calls bring has another of its own in its place, and
   * `opened` says which. Default: false.
   */
  anyVerifier?: boolean | undefined
  /** Whether the target draws tokens with the noise that the draft drew them with. Default: as the engine finds best. */
  coupled?: boolean | undefined
}

/**
 * One text at an engine, which knows what was committed to it: its prompt, then every commit of `verify`. Calls end when
 * their `signal` aborts, and when their events are no longer read; both calls may be at work at once.
 */
export interface Session {
  /**
   * Writes steps ahead of what is committed, each told as soon as it is finished.
   * @throws {UpstreamError} `no_draft_model`, or as `verify`
   */
  draft(ahead: Ahead, signal: AbortSignal): AsyncIterable<DraftEvent>

  /**
   * Lets the target write its own version of each drafted step, taken as they come, has the verifier compare them, and
   * commits the drafted steps it accepts and what the target writes after them.
   * @param steps drafted by `draft` after what is committed, in order, alternatives after the first of their place; none is plain decoding
   * @throws {UpstreamError}
   */
  verify(steps: AsyncIterable<DraftedStep>, task: Verification, signal: AbortSignal): AsyncIterable<VerifyEvent>

  /**
   * Writes on cycle after cycle, with drafting and verification overlapped, until the text ends or the next call of `follow`
   * takes over, which it does after a cycle. Sends at once, read or not. An engine without it is asked cycle by cycle.
   * @throws {UpstreamError}
   */
  follow?(task: Following, signal: AbortSignal): AsyncIterable<FollowEvent>

  /**
   * After a call has failed: ends all calls; what their deltas said counts as committed, and the next call sends the whole text,
   * to whoever answers then. A text at an engine without it cannot outlive a failed call.
   * @returns whether it goes on at another place, where nobody need be waited for
   */
  recover?(failure: UpstreamError): boolean | undefined

  /** Gives up a text that is not ended. Never fails. */
  release(): Promise<void>
}

/** How a text is written on. */
export interface Following extends Omit<Verification, 'maxTokens'> {
  /** Output tokens that the text may have, those of earlier calls included. */
  maxTokens: number
  /** Drafted steps that may stand uncommitted; 0: the target writes alone. */
  depth: number
  /** Alternatives for each of them. */
  width: number
  /** Whether steps are drafted while others are verified. Default: as the engine finds best. */
  overlap: boolean | undefined
}

/** How far `draft` goes. */
export interface Ahead {
  /** Steps one after another (γ1). */
  depth: number
  /** Alternatives for each; an engine that knows no alternatives drafts one. */
  width: number
  /** Tokens that may be guessed in one forward of the draft by n-gram, where the engine can; 0 is off. */
  ngram: number
}

export interface DraftedStep {
  /** Like no other step's of this text. */
  id: string
  /** Its place after what is committed, from 0. Alternatives share it. */
  index: number
  /** Which of the alternatives, from 1; undefined for the first, which the steps after it go on from. */
  alternative?: number | undefined
  /** Up to and including what ends it. */
  text: string
  tokens: number
}

export interface Verification {
  /** Who compares drafted with target steps: a name that the engine knows. */
  verifier: string
  /** How strict it is. Default: its own. */
  threshold: number | undefined
  /** Steps the target writes after those that were accepted, or alone; `end`: to the end of the text. */
  decode: number | 'end'
  /** Token speculation inside target steps. */
  tokens: TokenGuesses
  /** Tokens committed at most. */
  maxTokens: number
}

/** Told before the first text, and perhaps again by later calls. */
export interface Opened {
  type: 'opened'
  promptTokens: number
  /** Where the prompt leaves off among reasoning and answer. */
  channels: ChannelState
  /** The verifier in the place of the one that the calls bring. Default: that one. */
  verifier?: string | undefined
}

/** Text that no later verdict can change. */
export interface Delta {
  type: 'delta'
  text: string
  /** Tokens, those whose text is held back included; undefined: the engine could not go on from here after a failure. */
  tokens?: number | undefined
  /** Their ids, of an engine that tells them. */
  ids?: readonly number[] | undefined
}

/** The engine is away or too busy, and is asked again shortly; or at once, at another place. */
export interface Away {
  type: 'away'
  error: UpstreamError
  elsewhere?: boolean | undefined
}

export type DraftEvent = Opened | Away | ({ type: 'step' } & DraftedStep) | { type: 'done'; work: DraftWork }

export interface Verdict {
  type: 'verdict'
  /** The drafted step's id. */
  step: string
  accepted: boolean
  /** Why, in a word of the verifier's. `judge_failed`: it could not compare. */
  reason: string
  /** How probable it found that both mean the same, 0 to 1, and the target's own step: where it says so. */
  probability?: number | undefined
  target?: string | undefined
}

export interface Commit {
  type: 'commit'
  /** Drafted steps accepted, from the first on; the last may be another than the first alternative. */
  accepted: number
  /** Those, and the steps of the correction. */
  steps: number
  /** Accepted steps and correction together; begins with all that the deltas said. */
  text: string
  /** Tokens of `text`, an end of text included. */
  tokens: number
  /** Their ids, of an engine that tells them. */
  ids?: readonly number[]
  /** How many are thinking, its tags included, of an engine that tells. */
  reasoningTokens?: number | undefined
  /** The target's own step or steps after the accepted ones. */
  correction: string
  /** Set when the text is over. */
  finish: OpenWord<FinishReason> | undefined
}

/** In order: `opened`, then `delta` and `verdict`, one `commit`, `done`; `away` before all others, or wherever the target was found at another place. */
export type VerifyEvent = Opened | Away | Delta | Verdict | Commit | { type: 'done'; work: Work }

/** In order, for each cycle: `step`, then as `verify`; `cycle` comes last. */
export type FollowEvent =
  | Opened
  | Away
  | ({ type: 'step' } & DraftedStep)
  | Delta
  | Verdict
  | Commit
  /** `waitMs`: how long the target waited for drafted steps and guesses. */
  | { type: 'cycle'; waitMs: number; share?: Share | undefined; work: Work }
  /** The draft has failed; the target writes on alone. */
  | { type: 'undrafted'; error: unknown }

/** What a text took of an engine that others use too. */
export interface Share {
  /** The part of all forwards that was its own, in milliseconds; without reading the prompt. */
  ms: number
  /** Texts that were at work at a time, itself included, at most. */
  load: number
}

/** What a call took: milliseconds of each model, the target's forwards, and token guesses. */
export interface Work {
  /** Until it was let in, of an engine that tells that apart: the way there and back. */
  callMs?: number | undefined
  draftMs: number
  targetMs: number
  judgeMs: number
  /** Of the time of the model that wrote, what it took to read the prompt, or what was not remembered of the text; undefined: not told. */
  promptMs?: number | undefined
  forwards: number
  proposed: number
  accepted: number
}

export type DraftWork = Pick<Work, 'callMs' | 'draftMs' | 'promptMs'>

/**
 * An engine refused, broke off, could not be reached, or did not keep to the interface. The message reaches a run's client: it
 * is ours, and what the engine said stands in the cause.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
  readonly code: string
  /** Whether the same call may succeed later, or where it has begun, one that goes on from there. */
  readonly retryable: boolean
  /** Milliseconds after which the engine asks to be tried again. */
  readonly retryAfterMs: number | undefined
  /** HTTP status, of an engine that answered with one; for the log. */
  readonly status: number | undefined
  /** Which of several places it came from; for the log. */
  host: string | undefined

  constructor(code: string, message: string, options: UpstreamErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
    this.status = options.status
  }
}

export interface UpstreamErrorOptions {
  retryable?: boolean
  retryAfterMs?: number | undefined
  status?: number
  cause?: unknown
}
