export { countParameters, decoderGraph, poolNames } from './decoder.ts'
export { storedGraph, type StoreOptions } from './store.ts'
