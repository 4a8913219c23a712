/** Shapes of published models, as their config.json has them; a checkpoint of one is made of random numbers. */
const qwen3 = {
  model_type: 'qwen3',
  vocab_size: 151_936,
  head_dim: 128,
  num_key_value_heads: 8,
  max_position_embeddings: 40_960,
  rope_theta: 1e6,
  rms_norm_eps: 1e-6,
  dtype: 'bfloat16',
}

export const shapes = {
  /** Qwen2.5-0.5B */
  '0.5b': {
    model_type: 'qwen2',
    vocab_size: 151_936,
    hidden_size: 896,
    intermediate_size: 4864,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
    max_position_embeddings: 32_768,
    rope_theta: 1e6,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
    dtype: 'bfloat16',
  },
  /** Qwen3-0.6B */
  '0.6b': {
    ...qwen3,
    hidden_size: 1024,
    intermediate_size: 3072,
    num_hidden_layers: 28,
    num_attention_heads: 16,
    tie_word_embeddings: true,
  },
  /** Qwen3-1.7B */
  '1.7b': {
    ...qwen3,
    hidden_size: 2048,
    intermediate_size: 6144,
    num_hidden_layers: 28,
    num_attention_heads: 16,
    tie_word_embeddings: true,
  },
  /** Qwen3-8B */
  '8b': {
    ...qwen3,
    hidden_size: 4096,
    intermediate_size: 12_288,
    num_hidden_layers: 36,
    num_attention_heads: 32,
    tie_word_embeddings: false,
  },
  /** For a test of this command. */
  tiny: {
    ...qwen3,
    vocab_size: 4096,
    hidden_size: 64,
    intermediate_size: 128,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
    max_position_embeddings: 8192,
    tie_word_embeddings: false,
  },
} as const

export type Shape = keyof typeof shapes
export const shapeNames = Object.keys(shapes) as Shape[]
