/** A Qwen3 checkpoint as a GGUF file, with llama.cpp's names for its tensors and hyperparameters. */
import {
  Checkpoint,
  ModelError,
  readDecoderConfig,
  readGenerationConfig,
  type DecoderConfig,
} from '../../src/checkpoint/index.ts'
import { readTokenizer } from '../../src/tokenizer/index.ts'
import { writeGguf, type GgufTensor, type MetadataValue, type TensorType } from './gguf.ts'

/** llama_token_type */
const tokenTypes = { normal: 1, control: 3, userDefined: 4, unused: 5 } as const

/**
 * @param type of the matrices; norms stay float32
 * @throws ModelError if the checkpoint is broken, or not a Qwen3 without scaled rotations
 */
export async function writeGgufCheckpoint(folder: string, path: string, type: TensorType): Promise<void> {
  const config = await readDecoderConfig(folder)
  if (config.modelType !== 'qwen3' || config.ropeScaling.type !== 'default')
    throw new ModelError('unsupported', `${folder}: only qwen3 checkpoints without rope scaling become GGUF here`)
  await using checkpoint = await Checkpoint.open(folder)
  const metadata = { ...hyperparameters(config), ...(await tokenizer(folder, config.vocabSize)) }
  await writeGguf(path, metadata, tensors(config, checkpoint, type))
}

function hyperparameters(config: DecoderConfig): Record<string, MetadataValue> {
  return {
    'general.architecture': ['string', 'qwen3'],
    'general.name': ['string', 'lookahead benchmark'],
    'qwen3.context_length': ['uint32', config.maxPositions],
    'qwen3.embedding_length': ['uint32', config.hiddenSize],
    'qwen3.block_count': ['uint32', config.layers],
    'qwen3.feed_forward_length': ['uint32', config.intermediateSize],
    'qwen3.attention.head_count': ['uint32', config.heads],
    'qwen3.attention.head_count_kv': ['uint32', config.kvHeads],
    'qwen3.attention.key_length': ['uint32', config.headDim],
    'qwen3.attention.value_length': ['uint32', config.headDim],
    'qwen3.attention.layer_norm_rms_epsilon': ['float32', config.normEpsilon],
    'qwen3.rope.freq_base': ['float32', config.ropeTheta],
  }
}

/** Byte-level BPE. Ids that the embedding has and the tokenizer lacks are marked as unused. */
async function tokenizer(folder: string, vocabSize: number): Promise<Record<string, MetadataValue>> {
  const { model, added_tokens: added } = await readTokenizer(folder)
  const { eosTokenIds } = await readGenerationConfig(folder)
  const tokens = Array.from({ length: vocabSize }, (_, id) => `[unused ${id}]`)
  const types: number[] = tokens.map(() => tokenTypes.unused)
  for (const [token, id] of model.vocab) {
    tokens[id] = token
    types[id] = tokenTypes.normal
  }
  for (const { id, content, special } of added) {
    tokens[id] = content
    types[id] = special ? tokenTypes.control : tokenTypes.userDefined
  }
  const merges = model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')))
  return {
    'tokenizer.ggml.model': ['string', 'gpt2'],
    'tokenizer.ggml.pre': ['string', 'qwen2'],
    'tokenizer.ggml.tokens': ['strings', tokens],
    'tokenizer.ggml.token_type': ['int32s', types],
    'tokenizer.ggml.merges': ['strings', merges],
    'tokenizer.ggml.add_bos_token': ['bool', false],
    ...(eosTokenIds[0] === undefined ? {} : { 'tokenizer.ggml.eos_token_id': ['uint32', eosTokenIds[0]] as const }),
  }
}

function tensors(config: DecoderConfig, checkpoint: Checkpoint, type: TensorType): GgufTensor[] {
  const { vocabSize, hiddenSize, intermediateSize, heads, kvHeads, headDim } = config
  const tensor = (name: string, source: string, shape: readonly number[]): GgufTensor => ({
    name: `${name}.weight`,
    shape,
    type: shape.length > 1 ? type : 'f32',
    read: () => checkpoint.read(`${source}.weight`, shape),
  })
  const layer = (at: number) => {
    const own = (name: string, source: string, ...shape: number[]) =>
      tensor(`blk.${at}.${name}`, `model.layers.${at}.${source}`, shape)
    return [
      own('attn_norm', 'input_layernorm', hiddenSize),
      own('attn_q', 'self_attn.q_proj', heads * headDim, hiddenSize),
      own('attn_k', 'self_attn.k_proj', kvHeads * headDim, hiddenSize),
      own('attn_v', 'self_attn.v_proj', kvHeads * headDim, hiddenSize),
      own('attn_q_norm', 'self_attn.q_norm', headDim),
      own('attn_k_norm', 'self_attn.k_norm', headDim),
      own('attn_output', 'self_attn.o_proj', hiddenSize, heads * headDim),
      own('ffn_norm', 'post_attention_layernorm', hiddenSize),
      own('ffn_gate', 'mlp.gate_proj', intermediateSize, hiddenSize),
      own('ffn_up', 'mlp.up_proj', intermediateSize, hiddenSize),
      own('ffn_down', 'mlp.down_proj', hiddenSize, intermediateSize),
    ]
  }
  return [
    tensor('token_embd', 'model.embed_tokens', [vocabSize, hiddenSize]),
    ...Array.from({ length: config.layers }, (_, at) => layer(at)).flat(),
    tensor('output_norm', 'model.norm', [hiddenSize]),
    ...(config.tiedEmbeddings ? [] : [tensor('output', 'lm_head', [vocabSize, hiddenSize])]),
  ]
}
