import type { ModelRunner } from '../model-runner.ts'
import type { Costs } from './costs.ts'
import type { ProposerKind, SpeculationModels, SpeculationRequest } from './proposers/index.ts'
import { Speculator } from './speculator.ts'
import type { Lengths } from './speculator.ts'

/** What of the engine decides who guesses. */
interface SpeculationEngine extends SpeculationModels {
  readonly proposers: readonly ProposerKind[]
  costsOf(runner: ModelRunner): Costs
}

/** All proposers that a request lets guess. @param lengths what each has been worth in this text */
export function chooseSpeculator(engine: SpeculationEngine, lengths: Lengths, request: SpeculationRequest): Speculator {
  const candidates = engine.proposers
    .map((kind) => ({ kind, most: kind.most(request, engine) }))
    .filter(({ most }) => most > 0)
    .map(({ kind, most }) => ({ proposer: kind.create(request, engine), length: lengths.of(kind.name), most }))
  const { batcher } = request.runner
  // A text that gave its slots back, and is about to go on, is not among those running.
  return new Speculator(candidates, engine.costsOf(request.runner), () => Math.max(0, batcher.running - 1))
}
