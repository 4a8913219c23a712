import { certain, lookup } from './ngram.ts'
import type { Proposer, ProposerKind } from './proposer.ts'

/** Guesses taken from the drafted step at a time, once the target has said something else. */
export const MOST_DRAFTED = 8

/** The rest of the drafted step that the target's version competes with. @param tokens of it, from where the two differ */
export const draftedProposer = (tokens: readonly number[]): Proposer => ({
  isFree: true,
  propose: (sequence, most) => certain(lookup(tokens, sequence, most, { shortest: 1 })),
})

export const draftedStep: ProposerKind = {
  name: 'drafted',
  most: ({ drafted }) => (drafted ? MOST_DRAFTED : 0),
  create: ({ drafted = [] }) => draftedProposer(drafted),
}
