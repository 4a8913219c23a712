/** The ways of guessing: each one file. To add one, write it and name it here, or hand it to the engine that shall have it. */
import { draftModel } from './draft-model.ts'
import { draftedStep } from './drafted-step.ts'
import { ngrams } from './ngram.ts'
import type { ProposerKind } from './proposer.ts'

export { MOST_DRAFTED } from './drafted-step.ts'
export type { Proposer, ProposerKind, SpeculationModels, SpeculationRequest } from './proposer.ts'

/** Cheapest first: the first that has something to say, and is worth more than those after it, guesses. */
export const proposers: readonly ProposerKind[] = [draftedStep, ngrams, draftModel]
