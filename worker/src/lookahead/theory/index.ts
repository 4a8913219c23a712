/** The paper's formulas (arXiv 2506.19830 §2, §3.2, §3.3, App. B, C): pure functions of rates. Symbols: docs/theory.md. */
export { choices, combinedSpeedup, optimum, parallelSteps } from './combined.ts'
export type { Choice, Kind, Layers } from './combined.ts'
export { expectedWithBonus, expectedWithoutBonus } from './expected.ts'
export type { Layer } from './layer.ts'
export { asyncParallelism, asyncSpeedup, syncSpeedup } from './steps.ts'
export { theorem3, theorem3Applies, theorem4, theorem4Applies } from './theorems.ts'
export { leviathanSpeedup, tokenSpeedup } from './tokens.ts'
