import path from 'node:path'
import * as v from 'valibot'
import { ModelError } from './error.ts'
import { readJson, readJsonIfAny } from './json.ts'

/** The shape of a decoder-only transformer, free of the checkpoint's own vocabulary. */
export interface DecoderConfig {
  modelType: string
  vocabSize: number
  hiddenSize: number
  /** Width of the gated feed-forward layer. */
  intermediateSize: number
  layers: number
  /** Query heads; a multiple of `kvHeads`. */
  heads: number
  kvHeads: number
  /** Elements of one head; even. */
  headDim: number
  normEpsilon: number
  ropeTheta: number
  /** Positions run from 0 to `maxPositions` - 1. */
  maxPositions: number
  /** The output layer uses the embedding's weights. */
  tiedEmbeddings: boolean
  /** Queries and keys are normalised per head before the rotation. */
  qkNorm: boolean
}

/** How a checkpoint asks to be sampled; what it leaves open is undefined. */
export interface GenerationConfig {
  /** Any of these ends the text. */
  eosTokenIds: readonly number[]
  temperature?: number
  topP?: number
  topK?: number
}

/** What differs between the families of models that the graph builder knows, by `model_type`. */
const architectures: Readonly<Record<string, Pick<DecoderConfig, 'qkNorm'>>> = {
  qwen3: { qkNorm: true },
}

const count = v.pipe(v.number(), v.integer(), v.minValue(1))
const positive = v.pipe(v.number(), v.gtValue(0))
const tokenIds = v.nullish(v.union([v.number(), v.array(v.number())]))
const ropeSchema = v.looseObject({ rope_type: v.optional(v.string()), rope_theta: v.optional(positive) })

const modelTypeSchema = v.looseObject({ model_type: v.string() })

const configSchema = v.looseObject({
  model_type: v.string(),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: v.optional(count),
  head_dim: v.nullish(count),
  rms_norm_eps: v.optional(positive, 1e-6),
  max_position_embeddings: count,
  tie_word_embeddings: v.optional(v.boolean(), false),
  hidden_act: v.optional(v.string(), 'silu'),
  attention_bias: v.optional(v.boolean(), false),
  use_sliding_window: v.optional(v.boolean(), false),
  rope_theta: v.optional(positive),
  rope_scaling: v.nullish(ropeSchema),
  rope_parameters: v.nullish(ropeSchema),
  quantization_config: v.optional(v.unknown()),
})

/**
 * Reads `config.json`.
 *
 * @throws ModelError if it is missing or broken, or asks for something the graph builder cannot build
 */
export async function readDecoderConfig(folder: string): Promise<DecoderConfig> {
  const { model_type: modelType } = await readJson(folder, 'config.json', modelTypeSchema)
  const architecture = architectures[modelType]
  if (!architecture)
    throw new ModelError(
      'unsupported',
      `${folder} is a ${modelType} model; supported are: ${Object.keys(architectures).join(', ')}`,
    )
  const config = await readJson(folder, 'config.json', configSchema)
  const rope = config.rope_parameters ?? config.rope_scaling
  const heads = config.num_attention_heads
  const kvHeads = config.num_key_value_heads ?? heads
  const headDim = config.head_dim ?? config.hidden_size / heads
  const refuse = (reason: string): never => {
    throw new ModelError('unsupported', `${path.join(folder, 'config.json')}: ${reason}`)
  }
  if (config.quantization_config !== undefined)
    refuse('quantised weights are not supported: use the original checkpoint')
  if (config.hidden_act !== 'silu') refuse(`activation ${config.hidden_act} is not supported, only silu`)
  if (config.attention_bias) refuse('attention_bias is not supported')
  if (config.use_sliding_window) refuse('sliding window attention is not supported')
  if ((rope?.rope_type ?? 'default') !== 'default')
    refuse(`rope type ${rope?.rope_type} is not supported, only default`)
  if (heads % kvHeads !== 0) refuse(`${heads} query heads do not divide among ${kvHeads} key/value heads`)
  if (headDim % 2 !== 0) refuse(`head size ${headDim} is not even`)
  return {
    modelType,
    ...architecture,
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    normEpsilon: config.rms_norm_eps,
    ropeTheta: rope?.rope_theta ?? config.rope_theta ?? 10000,
    maxPositions: config.max_position_embeddings,
    tiedEmbeddings: config.tie_word_embeddings,
  }
}

const generationSchema = v.looseObject({
  eos_token_id: tokenIds,
  temperature: v.nullish(v.pipe(v.number(), v.minValue(0))),
  top_p: v.nullish(positive),
  top_k: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0))),
})

/**
 * Reads `generation_config.json`, if any; where it names no end of text, `config.json` does.
 *
 * @throws ModelError if a file is broken
 */
export async function readGenerationConfig(folder: string): Promise<GenerationConfig> {
  const own = await readJsonIfAny(folder, 'generation_config.json', generationSchema)
  const config = await readJson(folder, 'config.json', v.looseObject({ eos_token_id: tokenIds }))
  const eosTokenIds = [own?.eos_token_id ?? config.eos_token_id ?? []].flat()
  return {
    eosTokenIds,
    ...(own?.temperature == null ? {} : { temperature: own.temperature }),
    ...(own?.top_p == null ? {} : { topP: own.top_p }),
    ...(own?.top_k == null ? {} : { topK: own.top_k }),
  }
}
