export { countParameters, decoderGraph, poolNames } from './decoder.ts'
export { weightTypes, type WeightType } from './quantisation.ts'
export { storedGraph, type StoreOptions } from './store.ts'
