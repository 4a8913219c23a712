import type { Reduction } from '../../model/index.ts'
import type { ModelRunner } from '../model-runner.ts'
import type { Engine } from '../engine.ts'
import { nominal } from './costs.ts'
import { DraftModel } from './proposers/draft-model.ts'
import type { DraftModelOptions } from './proposers/draft-model.ts'
import { draftedStep, ngrams } from './proposers/ngram.ts'
import { Speculator } from './speculator.ts'
import type { Candidate, Lengths } from './speculator.ts'

/** Guesses taken from the drafted step at a time, once the target has said something else. */
export const MOST_DRAFTED = 8

export interface SpeculationRequest extends Pick<DraftModelOptions, 'distribution' | 'random'> {
  signal: AbortSignal
  /** When `distribution` can do with less than whole logits. */
  reduced: Reduction | undefined
  /** The model that writes. */
  decoder: ModelRunner
  lengths: Lengths
  /** Guesses per forward at most; 0 is off. The draft model guesses only for the target. */
  ngram: number
  draft: number
  /** What the drafted step still has, if its tokens are to be guesses. */
  drafted?: readonly number[] | undefined
  /**
   * Whether the same request must give the same text again: then neither the clock nor other requests may change what is
   * guessed, and slots to guess in are waited for.
   */
  seeded: boolean
  /** When the text arrival. */
  arrival: number
}

/** The proposers a request asks for, cheapest first. */
export function chooseSpeculator(engine: Engine, request: SpeculationRequest): Speculator {
  const { decoder, lengths, ngram, draft, drafted, seeded, arrival, distribution, reduced, random, signal } = request
  const candidates: Candidate[] = []
  if (drafted) candidates.push({ proposer: draftedStep(drafted), length: lengths.drafted, most: MOST_DRAFTED })
  if (ngram > 0) candidates.push({ proposer: ngrams, length: lengths.ngram, most: ngram })
  if (draft > 0 && engine.draft && decoder === engine.target) {
    const vocabulary = decoder.model.config.vocabSize
    const proposer = new DraftModel({
      decoder: engine.draft,
      tree: { signal, arrival, optional: !seeded, reduced },
      vocabulary,
      distribution,
      random,
      guesses: engine.guesses,
      target: decoder.batcher,
    })
    candidates.push({ proposer, length: lengths.draft, most: draft })
  }
  if (seeded) return new Speculator(candidates, nominal)
  return new Speculator(candidates, engine.costs, () => Math.max(0, decoder.batcher.running - 1))
}
