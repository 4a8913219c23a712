export { Checkpoint, weightFiles, weightNames } from './checkpoint.ts'
export { readDecoderConfig, readGenerationConfig, type DecoderConfig, type GenerationConfig } from './config.ts'
export {
  MPNET_BUCKETS,
  MPNET_PADDING,
  readEncoderConfig,
  type EncoderConfig,
  type EncoderType,
} from './encoder-config.ts'
export { ModelError, type ModelErrorCode } from './error.ts'
export { toBfloat16 } from './floats.ts'
export { assertFolder, check, readJson, readJsonIfAny, readTextIfAny } from './json.ts'
export type { RopeScaling } from './rope.ts'
export { readSentenceModules, type Pooling, type SentenceModules } from './sentence-modules.ts'
export { SafetensorsFile, type Rows } from './safetensors.ts'
