export { poolNames } from './attention.ts'
export { countParameters, decoderGraph, parametersOf } from './decoder.ts'
export { encoderGraph } from './encoder.ts'
export {
  precisionOf,
  weightTypes,
  type ActivationType,
  type Precision,
  type PrecisionOptions,
  type WeightType,
} from './precision.ts'
export { isReduced, rowsGraph, topCount } from './reduction.ts'
export {
  assertBuildable,
  assertEncoderBuildable,
  storedEncoderGraph,
  storedGraph,
  type BuildProgress,
  type StoreOptions,
} from './store.ts'
export { zerosGraph } from './zeros.ts'
