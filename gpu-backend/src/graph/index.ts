export { poolNames } from './attention.ts'
export { countParameters, decoderGraph } from './decoder.ts'
export {
  precisionOf,
  weightTypes,
  type ActivationType,
  type Precision,
  type PrecisionOptions,
  type WeightType,
} from './precision.ts'
export { isReduced, rowsGraph, topCount } from './reduction.ts'
export { assertBuildable, storedGraph, type BuildProgress, type StoreOptions } from './store.ts'
export { zerosGraph } from './zeros.ts'
