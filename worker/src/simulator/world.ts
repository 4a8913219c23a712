/** What things cost, and how the text is written. Plain data: it can be stored, sent, and moved by sliders. */
import type { Points } from './curve.ts'

/** Milliseconds. */
export interface World {
  /** A forward of the target, by the new tokens in it. */
  target: Points
  /** Every further step under way in a forward: it reads the text once more. Default 0. */
  branch?: number | undefined
  /** One token of a drafted step. */
  draftToken: number
  /** One guess of a token by whoever guesses them: 0 for n-grams. */
  guess: number
  /** Comparing two steps. */
  judge: number
  /** From the worker to the backend and back. */
  roundTrip: number
  /** All else that drafting and verifying anew takes each time: scheduling, wire. */
  call: number
}

/** How the text is written. */
export interface Way {
  /** `sync`: draft, verify, commit, and again. `async`: drafting runs ahead of the verdicts. */
  kind: 'sync' | 'async'
  /** Steps drafted ahead (γ1); 0: the target writes alone. */
  depth: number
  /** Tokens guessed in a forward (γ2). */
  guesses: number
  /** Whether the drafted steps' tokens are guesses too: then the target writes only what it would not have written so. */
  reuse: boolean
  /** Whether the target writes its own version of steps that are accepted, as in the paper, or only of refused ones. */
  ownVersions: 'all' | 'refused'
}

/** Plain decoding. */
export const plain: Way = { kind: 'sync', depth: 0, guesses: 0, reuse: false, ownVersions: 'all' }
