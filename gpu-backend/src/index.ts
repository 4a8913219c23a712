/** The backend for those who run it in a process of their own: benchmarks, tests, and whoever adds to it. */
export { Engine, type EngineOptions } from './engine/engine.ts'
export type { ForcedAcceptance } from './engine/forced.ts'
export type {
  Proposer,
  ProposerKind,
  SpeculationModels,
  SpeculationRequest,
} from './engine/speculation/proposers/index.ts'
export { readStep, type TokenOpinion } from './engine/judging/read-step.ts'
export { createApp, type AppOptions } from './server/app.ts'
