/** What differs between the families of models that the graph builder knows. */
export interface Architecture {
  /** Queries and keys are normalised per head before the rotation. */
  qkNorm: boolean
  /**
   * `qkv`: queries, keys and values have biases, whatever config.json says. `asConfigured`: with `attention_bias`, they
   * and the output layer have. `none`: no biases, and a config.json that asks for them is refused.
   */
  attentionBias: 'qkv' | 'asConfigured' | 'none'
  /** The feed-forward layers have biases if `mlp_bias` says so; else it is refused. */
  feedForwardBias: 'asConfigured' | 'none'
  /** Whether `sliding_window` counts: always, only with `use_sliding_window` and in some layers, or never. */
  slidingWindow: 'always' | 'optional' | 'none'
  /** Elements of one head where config.json leaves it out; without it, hidden size / heads. */
  headDim?: number
}

/** By `model_type`, as transformers' modeling and configuration files have them. */
export const architectures: Readonly<Record<string, Architecture>> = {
  qwen3: {
    qkNorm: true,
    attentionBias: 'asConfigured',
    feedForwardBias: 'none',
    slidingWindow: 'optional',
    headDim: 128,
  },
  qwen2: { qkNorm: false, attentionBias: 'qkv', feedForwardBias: 'none', slidingWindow: 'optional' },
  llama: { qkNorm: false, attentionBias: 'asConfigured', feedForwardBias: 'asConfigured', slidingWindow: 'none' },
  mistral: { qkNorm: false, attentionBias: 'none', feedForwardBias: 'none', slidingWindow: 'always' },
}
