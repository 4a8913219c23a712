import type { Ruling } from '../verifier/verdict.ts'
import type { DraftStep, StepWriter } from './step.ts'
import type { Leaf } from './tree.ts'

/** The target's own version of one step, and the drafted step it competes with (none for the step after the last draft). */
export interface TargetStep {
  draft: DraftStep | undefined
  /** Place of the step in the chain of drafted tokens. */
  start: number
  /** Tokens so far: the first `agreed` of them stand in the chain, the rest on the leaf. */
  writer: StepWriter
  agreed: number
  leaf: Leaf | undefined
  ruling: Ruling | undefined
}

/** The step's tokens that are not the chain's. */
export const ownTokens = (step: TargetStep): number[] => step.writer.tokens.slice(step.agreed)

/** Tokens of an unfinished step still to be run: the last one written. */
export const pending = (step: TargetStep): number[] => ownTokens(step).slice(step.leaf?.tokens.length ?? 0)
