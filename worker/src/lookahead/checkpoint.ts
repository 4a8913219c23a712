/** How far a run is: with the tokens it has written, all that another needs to go on with it. */
import type { ChannelState, RunEvent, RunStats } from '@lookahead/sdk/protocol'
import type { Commit } from './upstream.ts'

export interface Checkpoint {
  promptTokens: number
  /** Where the prompt leaves off. */
  channels: ChannelState
  /** Committed, and said since. */
  tokens: number
  steps: number
  /** Undefined where nobody counted. */
  reasoningTokens: number | undefined
  stats: RunStats
  /** Whether the draft or the judge has failed. */
  hasFailed: boolean
  /** How the text has ended, if it has. */
  finish: Commit['finish']
  /** What is still to be told of the cycle at work, should nobody go on with it. */
  untold: RunEvent[]
}

/** A stretch of output. */
export interface Said {
  /** Its tokens. */
  ids: readonly number[]
  /** Their text as the engine told it, tags included. */
  text: string
}

/**
 * Comes after the events that it covers: those before it and it are true together, or not at all. Undefined where nobody could
 * go on, since the engine does not tell its tokens.
 */
export interface Progress {
  type: 'progress'
  /** After those events. */
  checkpoint: Checkpoint | undefined
  /** Since the last progress. */
  said: Said
}

/** A run that another has begun: how far it is, and its whole output. */
export interface SavedRun {
  checkpoint: Checkpoint
  said: Said
}
