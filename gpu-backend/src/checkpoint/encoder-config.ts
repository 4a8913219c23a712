import path from 'node:path'
import * as v from 'valibot'
import { Checkpoint } from './checkpoint.ts'
import { ModelError } from './error.ts'
import { readJson } from './json.ts'

/** The shape of an encoder with attention in both directions, free of the checkpoint's own vocabulary. */
export interface EncoderConfig {
  modelType: EncoderType
  /** What the names of its tensors begin with: `mpnet.`, say, where it was saved with a head, which is left out. */
  prefix: '' | `${EncoderType}.`
  vocabSize: number
  hiddenSize: number
  /** Width of the feed-forward layer. */
  intermediateSize: number
  layers: number
  heads: number
  normEpsilon: number
  /** Rows of the table of positions; a text may have `mostTokens` tokens. */
  positions: number
  /** Rows of the table of token types: every token here is of the first. MPNet has none. */
  tokenTypes: number
  /** Tokens that a text can have. */
  mostTokens: number
  /** The half precision that its numbers fit in: bf16 where the checkpoint says so. */
  halfType: 'fp16' | 'bf16'
}

export type EncoderType = 'bert' | 'mpnet'

/** MPNet's positions begin after the one of padding, which is 1 whatever config.json says (transformers, modeling_mpnet.py). */
export const MPNET_PADDING = 1

/** Distances between tokens that MPNet tells apart, whatever config.json says (`compute_position_bias` there). */
export const MPNET_BUCKETS = 32

const count = v.pipe(v.number(), v.integer(), v.minValue(1))

const typeSchema = v.object({ model_type: v.string() })
const configSchema = v.object({
  model_type: v.picklist(['bert', 'mpnet']),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  layer_norm_eps: v.optional(v.pipe(v.number(), v.gtValue(0)), 1e-12),
  max_position_embeddings: count,
  type_vocab_size: v.nullish(count),
  hidden_act: v.optional(v.string(), 'gelu'),
  position_embedding_type: v.nullish(v.string()),
  relative_attention_num_buckets: v.nullish(count),
  is_decoder: v.nullish(v.boolean()),
  quantization_config: v.optional(v.unknown()),
  dtype: v.nullish(v.string()),
  torch_dtype: v.nullish(v.string()),
})

/**
 * Reads the `config.json` of a BERT (also MiniLM) or MPNet encoder, whose weights must be there.
 *
 * @throws ModelError if it is missing or broken, or asks for something the graph builder cannot build
 */
export async function readEncoderConfig(folder: string): Promise<EncoderConfig> {
  const { model_type: type } = await readJson(folder, 'config.json', typeSchema)
  if (type !== 'bert' && type !== 'mpnet')
    throw new ModelError(
      'unsupported',
      `${folder} is a ${type} model; encoders of sentences may be bert (also MiniLM) or mpnet: ` +
        'name a sentence-transformers checkpoint such as all-mpnet-base-v2',
    )
  const config = await readJson(folder, 'config.json', configSchema)
  assertSupported(config, (reason) => {
    throw new ModelError('unsupported', `${path.join(folder, 'config.json')}: ${reason}`)
  })
  const isMPNet = config.model_type === 'mpnet'
  const positions = config.max_position_embeddings
  return {
    modelType: config.model_type,
    prefix: await prefixOf(folder, config.model_type),
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    intermediateSize: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads: config.num_attention_heads,
    normEpsilon: config.layer_norm_eps,
    positions,
    tokenTypes: isMPNet ? 0 : (config.type_vocab_size ?? 2),
    mostTokens: isMPNet ? positions - MPNET_PADDING - 1 : positions,
    halfType: (config.dtype ?? config.torch_dtype) === 'bfloat16' ? 'bf16' : 'fp16',
  }
}

async function prefixOf(folder: string, type: EncoderType): Promise<EncoderConfig['prefix']> {
  await using checkpoint = await Checkpoint.open(folder)
  return checkpoint.has(`${type}.embeddings.word_embeddings.weight`) ? `${type}.` : ''
}

/** Refuses by name what the graph builder would otherwise silently get wrong. */
function assertSupported(config: v.InferOutput<typeof configSchema>, refuse: (reason: string) => never): void {
  const { hidden_size: width, num_attention_heads: heads } = config
  if (config.is_decoder) refuse('attention in one direction is not supported')
  if (config.quantization_config != null) refuse('quantised weights are not supported: use the original checkpoint')
  if (config.hidden_act !== 'gelu') refuse(`activation ${config.hidden_act} is not supported, only gelu`)
  if ((config.position_embedding_type ?? 'absolute') !== 'absolute')
    refuse(`positions of type ${config.position_embedding_type} are not supported, only absolute`)
  const buckets = config.relative_attention_num_buckets ?? MPNET_BUCKETS
  if (config.model_type === 'mpnet' && buckets !== MPNET_BUCKETS)
    refuse(`relative_attention_num_buckets ${buckets} is not supported, only ${MPNET_BUCKETS}`)
  if (width % heads !== 0) refuse(`a width of ${width} does not divide among ${heads} heads`)
}
