/** What the engine tells while it drafts and verifies. */
import type { ChannelState, FinishReason } from '@lookahead/sdk/protocol'
import type { Ruling } from '@lookahead/worker/verifiers'
import type { DraftStep } from './text/step.ts'

/** First of all: what the text is to which the call belongs. */
export interface Opened {
  type: 'context'
  promptTokens: number
  /** Output tokens before this call. */
  outputTokens: number
  /** Where the prompt leaves off among reasoning and answer. */
  channels: ChannelState
}

/** The draft model has finished a step. */
export interface StepDrafted {
  type: 'step'
  id: string
  /** Its place among the steps drafted ahead. Alternatives share it. */
  index: number
  /** Which of the alternatives for its place, from 0. Default 0: the one that the steps after it go on from. */
  alternative?: number
  text: string
  /** How many. */
  tokens: number
  end: DraftStep['end']
}

/** Text that no later verdict can change. */
export interface Delta {
  type: 'delta'
  text: string
  /** Their ids: with those of the deltas before, all that it takes to go on from here. */
  tokens: readonly number[]
}

/** A ruling on drafted step `index`, or on another one in its place. */
export interface VerdictGiven extends Ruling {
  type: 'verdict'
  index: number
  /** Default 0. */
  alternative?: number
}

/** What a verification adds to the output: the accepted drafted steps, then the target's own step. */
export interface Committed {
  type: 'commit'
  /** Drafted steps accepted. */
  accepted: number
  /** Those, and the steps of the correction. */
  steps: number
  /** Accepted steps and correction together. */
  text: string
  /** Token ids of `text`, and of the end of text, if it came. */
  tokens: readonly number[]
  /** How many of them are thinking, its tags included. */
  reasoningTokens: number
  /** The target's own step; empty after an accepted end. */
  correction: string
  /** Set when the text is over. */
  finish: FinishReason | undefined
}

/** Last of all: what it took. */
export interface Done extends Usage {
  type: 'done'
}

/** What one of many cycles took, after its commit. */
export interface CycleDone extends Usage {
  type: 'cycle'
}

/**
 * Milliseconds, in all and until each model's scores were there; and how often the model that wrote was asked for scores. `promptMs` is
 * what it took of that to read the text before: all of it, or what was not remembered. `waitMs` is how long the target waited for
 * drafted steps and guesses, `shareMs` the part of all forwards that was this text's own, both without what it took to read the text
 * before; `load` the most texts that were at work with it: of a verification.
 */
interface Timings {
  totalMs: number
  draftMs: number
  targetMs: number
  judgeMs: number
  promptMs: number
  forwards: number
  waitMs?: number
  shareMs?: number
  load?: number
}

interface Usage {
  promptTokens: number
  completionTokens: number
  work: Timings
  /** Times that tokens were guessed, guesses made and kept, and tokens that a forward with guesses gave; of a verification. */
  speculation?: { drafts: number; proposed: number; accepted: number; perPosition: number[]; meanLength: number }
}

/** What a drafted step, and each of its alternatives, is told as. */
export const stepsDrafted = (step: DraftStep, index: number): StepDrafted[] =>
  [step, ...(step.alternatives ?? [])].map(({ id, text, tokens, end }, alternative) => ({
    type: 'step',
    id,
    index,
    ...numbered(alternative),
    text,
    tokens: tokens.length,
    end,
  }))

/** The first of the alternatives goes without a number. */
export const numbered = (alternative: number): { alternative?: number } => (alternative === 0 ? {} : { alternative })

export type DraftEvent = Opened | StepDrafted | Done
export type VerifyEvent = Opened | StepDrafted | Delta | VerdictGiven | Committed | CycleDone | Done
