import type { Ruling } from '../verifier/verdict.ts'
import { lookup } from './ngram.ts'
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
export const pending = (step: TargetStep): number[] => ownTokens(step).slice(step.leaf?.slots.length ?? 0)

/** Guesses for what the target writes next: the rest of the drafted step, then what the context has in such a place. */
export function guess(step: TargetStep, context: readonly number[], most: number): number[] {
  const { draft, writer, agreed } = step
  const written = writer.tokens
  const fromDraft = draft ? lookup(draft.tokens.slice(agreed), written, most, { shortest: 1 }) : []
  return fromDraft.length > 0 ? fromDraft : lookup([...context, ...written], written, most)
}
