export { countParameters, decoderGraph, poolNames } from './decoder.ts'
export { isReduced, rowsGraph, topCount } from './reduction.ts'
export { weightTypes, type WeightType } from './quantisation.ts'
export { storedGraph, type BuildProgress, type StoreOptions } from './store.ts'
