import type { Reduction, Scores } from '../../../model/index.ts'
import type { Meter } from '../../batching/meter.ts'
import type { ModelRunner } from '../../model-runner.ts'
import type { Distribution } from '../../sampling/distribution.ts'
import type { TokenNoise } from '../../sampling/noise.ts'
import type { Guess } from '../accept.ts'
import type { MeasuredForwards } from '../costs.ts'

/** Guesses what the target writes next in one sequence. Whatever it guesses, `accept` keeps the text the target's own. */
export interface Proposer {
  /**
   * Guesses for the tokens after `sequence`, at most `most`; none when it has nothing to say. How many it makes must not depend on
   * tokens that it drew by chance: that would change what is written. Each call's text continues the one before by a token or more.
   * @throws the request's signal's reason, and nothing else
   */
  propose(sequence: readonly number[], most: number): Guess[] | Promise<Guess[]>
  /** Whether its guesses take no time worth counting. Default: each takes a forward of the draft model. */
  readonly isFree?: boolean
  /** Set once it will never have anything to say again. */
  readonly silent?: boolean
  /** Gives back what it holds. Further calls do nothing. */
  close?(): void
}

/** The branch that is to be guessed for: who writes it, what its request allows, and how it is drawn. */
export interface SpeculationRequest {
  /** The model that writes. */
  runner: ModelRunner
  /** Guesses per forward at most; 0 is off. The draft model guesses only for the target. */
  ngram: number
  draft: number
  /** What the drafted step still has, if its tokens are to be guesses. */
  drafted?: readonly number[] | undefined
  /** When the request arrived. */
  arrival: number
  /** Only with texts of the same salt does it share what was run. Default: ''. */
  salt?: string | undefined
  /** What a token is drawn from, of the scores after `sequence`. */
  distribution: (scores: Scores, sequence: readonly number[]) => Distribution
  /** Says when `distribution` can do with less than whole logits. */
  reduced: Reduction | undefined
  /** What guesses are drawn with, where they are drawn. */
  noise: TokenNoise
  /** Is told what forwards of guessing took. */
  meter?: Meter | undefined
  signal: AbortSignal
}

/** The engine's models, for those that guess with one. */
export interface SpeculationModels {
  readonly target: ModelRunner
  readonly draft: ModelRunner | undefined
  /** Is told how long guesses of the draft took, by the texts that it wrote in at that time. */
  readonly guesses: MeasuredForwards
}

/** A way of guessing; it makes a proposer for each branch. */
export interface ProposerKind {
  readonly name: string
  /** Guesses per forward at most; 0: this request does without it. */
  most(request: SpeculationRequest, models: SpeculationModels): number
  create(request: SpeculationRequest, models: SpeculationModels): Proposer
}
