import path from 'node:path'
import * as v from 'valibot'
import { architectures, type Architecture } from './architectures.ts'
import { ModelError } from './error.ts'
import { readJson, readJsonIfAny } from './json.ts'
import { ropeScaling, ropeSchema, type RopeScaling } from './rope.ts'

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
  ropeScaling: RopeScaling
  /** Positions run from 0 to `maxPositions` - 1. */
  maxPositions: number
  /** The output layer uses the embedding's weights. */
  tiedEmbeddings: boolean
  /** Queries and keys are normalised per head before the rotation. */
  qkNorm: boolean
  /** The layers that make queries, keys and values have biases. */
  qkvBias: boolean
  /** The attention's output layer has a bias. */
  outputBias: boolean
  /** The three layers of the feed-forward block have biases. */
  feedForwardBias: boolean
  /** The half precision that its numbers fit in: bf16 where the checkpoint says so. */
  halfType: 'fp16' | 'bf16'
}

/** How a checkpoint asks to be sampled; what it leaves open is undefined. */
export interface GenerationConfig {
  /** Any of these ends the text. */
  eosTokenIds: readonly number[]
  temperature?: number
  topP?: number
  topK?: number
  minP?: number
  /** Of texts that `generate` writes; steps are drafted and verified without. */
  repetitionPenalty?: number
}

const count = v.pipe(v.number(), v.integer(), v.minValue(1))
const positive = v.pipe(v.number(), v.gtValue(0))
const tokenIds = v.nullish(v.union([v.number(), v.array(v.number())]))

const modelTypeSchema = v.object({ model_type: v.string() })

const configSchema = v.object({
  model_type: v.string(),
  architectures: v.nullish(v.array(v.string())),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: v.nullish(count),
  head_dim: v.nullish(count),
  rms_norm_eps: v.optional(positive, 1e-6),
  max_position_embeddings: count,
  tie_word_embeddings: v.nullish(v.boolean(), false),
  hidden_act: v.optional(v.string(), 'silu'),
  attention_bias: v.optional(v.boolean(), false),
  mlp_bias: v.optional(v.boolean(), false),
  use_sliding_window: v.optional(v.boolean(), false),
  sliding_window: v.nullish(count),
  max_window_layers: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0)), 28),
  layer_types: v.nullish(v.array(v.string())),
  rope_theta: v.nullish(positive),
  rope_scaling: v.nullish(ropeSchema),
  rope_parameters: v.nullish(ropeSchema),
  partial_rotary_factor: v.nullish(positive),
  original_max_position_embeddings: v.nullish(count),
  num_experts: v.nullish(v.number()),
  num_local_experts: v.nullish(v.number()),
  quantization_config: v.optional(v.unknown()),
  /** What MLX, and older compressed-tensors, call it. */
  quantization: v.optional(v.unknown()),
  compression_config: v.optional(v.unknown()),
  is_causal: v.nullish(v.boolean()),
  dtype: v.nullish(v.string()),
  torch_dtype: v.nullish(v.string()),
})

type StoredConfig = v.InferOutput<typeof configSchema>

/**
 * Reads `config.json`.
 *
 * @throws ModelError if it is missing or broken, or asks for something the graph builder cannot build
 */
export async function readDecoderConfig(folder: string): Promise<DecoderConfig> {
  const { model_type: modelType } = await readJson(folder, 'config.json', modelTypeSchema)
  const architecture = Object.hasOwn(architectures, modelType) ? architectures[modelType] : undefined
  if (!architecture)
    throw new ModelError(
      'unsupported',
      `${folder} is a ${modelType} model; supported are: ${Object.keys(architectures).join(', ')}`,
    )
  const config = await readJson(folder, 'config.json', configSchema)
  const refuse = (reason: string): never => {
    throw new ModelError('unsupported', `${path.join(folder, 'config.json')}: ${reason}`)
  }
  const rope = isEmpty(config.rope_scaling) ? config.rope_parameters : config.rope_scaling
  const originalPositions = config.original_max_position_embeddings ?? config.max_position_embeddings
  const scaling = ropeScaling(rope, originalPositions, refuse)
  const heads = config.num_attention_heads
  const kvHeads = config.num_key_value_heads ?? heads
  const headDim = config.head_dim ?? architecture.headDim ?? config.hidden_size / heads
  // YaRN is often switched on by hand, as Qwen's model cards say, without raising max_position_embeddings.
  const stretched = scaling.type === 'yarn' ? Math.floor(scaling.factor * scaling.originalPositions) : 0
  const maxPositions = Math.max(config.max_position_embeddings, stretched)
  assertSupported(config, architecture, maxPositions, refuse)
  if (heads % kvHeads !== 0) refuse(`${heads} query heads do not divide among ${kvHeads} key/value heads`)
  if (headDim % 2 !== 0) refuse(`head size ${headDim} is not even`)
  const biased = architecture.attentionBias === 'asConfigured' && config.attention_bias
  return {
    modelType,
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    normEpsilon: config.rms_norm_eps,
    ropeTheta: rope?.rope_theta ?? config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10000,
    ropeScaling: scaling,
    maxPositions,
    tiedEmbeddings: config.tie_word_embeddings,
    qkNorm: architecture.qkNorm,
    qkvBias: biased || architecture.attentionBias === 'qkv',
    outputBias: biased,
    feedForwardBias: config.mlp_bias,
    halfType: (config.dtype ?? config.torch_dtype) === 'bfloat16' ? 'bf16' : 'fp16',
  }
}

/** Refuses by name what the graph builder would otherwise silently get wrong. */
function assertSupported(
  config: StoredConfig,
  architecture: Architecture,
  maxPositions: number,
  refuse: (reason: string) => never,
): void {
  const head = config.architectures?.[0] ?? 'ForCausalLM'
  if (!head.endsWith('ForCausalLM') || config.is_causal === false)
    refuse(`${config.is_causal === false ? 'attention in both directions' : head} is not supported, only causal models`)
  if ((config.quantization_config ?? config.quantization ?? config.compression_config) != null)
    refuse('quantised weights are not supported: use the original checkpoint')
  if ((config.num_experts ?? config.num_local_experts ?? 0) > 1) refuse('mixtures of experts are not supported')
  if (config.hidden_act !== 'silu') refuse(`activation ${config.hidden_act} is not supported, only silu`)
  if (config.attention_bias && architecture.attentionBias === 'none')
    refuse(`attention_bias is not supported for ${config.model_type} models`)
  if (config.mlp_bias && architecture.feedForwardBias === 'none')
    refuse(`mlp_bias is not supported for ${config.model_type} models`)
  if ((config.partial_rotary_factor ?? 1) !== 1) refuse('partial_rotary_factor is not supported, only 1')
  const strange = config.layer_types?.find((type) => type !== 'full_attention' && type !== 'sliding_attention')
  if (strange !== undefined) refuse(`layers of type ${strange} are not supported`)
  const slides = { always: true, optional: slidesSomewhere(config), none: false }[architecture.slidingWindow]
  // Left out, it is transformers' default; null is none.
  const window = config.sliding_window === undefined ? 4096 : config.sliding_window
  if (slides && window !== null && window < maxPositions)
    refuse(`a sliding window of ${window} tokens is not supported: it is shorter than the ${maxPositions} positions`)
}

/** As Qwen's configuration classes have it: layers from `max_window_layers` on slide, unless `layer_types` says which. */
function slidesSomewhere(config: StoredConfig): boolean {
  if (!config.use_sliding_window) return false
  return config.layer_types?.includes('sliding_attention') ?? config.max_window_layers < config.num_hidden_layers
}

const isEmpty = (record: object | null | undefined) => Object.keys(record ?? {}).length === 0

const generationSchema = v.object({
  eos_token_id: tokenIds,
  do_sample: v.nullish(v.boolean()),
  temperature: v.nullish(v.pipe(v.number(), v.minValue(0))),
  top_p: v.nullish(positive),
  top_k: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0))),
  min_p: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  repetition_penalty: v.nullish(v.pipe(v.number(), v.minValue(0.01), v.maxValue(100))),
})

/**
 * Reads `generation_config.json`, if any. Whatever ends a text by it, by `config.json` or by the tokenizer ends it: they often
 * differ.
 *
 * @param endOfText by the tokenizer's files
 * @throws ModelError if a file is broken
 */
export async function readGenerationConfig(
  folder: string,
  endOfText: readonly number[] = [],
): Promise<GenerationConfig> {
  const own = await readJsonIfAny(folder, 'generation_config.json', generationSchema)
  const config = await readJson(folder, 'config.json', v.object({ eos_token_id: tokenIds }))
  const temperature = own?.do_sample === false ? 0 : own?.temperature
  const eosTokenIds = [...new Set([own?.eos_token_id ?? [], config.eos_token_id ?? [], endOfText].flat())]
  return {
    eosTokenIds,
    ...(temperature == null ? {} : { temperature }),
    ...(own?.top_p == null ? {} : { topP: own.top_p }),
    ...(own?.top_k == null ? {} : { topK: own.top_k }),
    ...(own?.min_p == null ? {} : { minP: own.min_p }),
    ...(own?.repetition_penalty == null ? {} : { repetitionPenalty: own.repetition_penalty }),
  }
}
