import type { WeightType } from '../../src/graph/index.ts'
import type { TensorType } from '../convert/gguf.ts'

/** One runtime with the model loaded. */
export interface Contender {
  /**
   * Continues a prompt greedily, without token speculation, from an empty cache.
   *
   * @param maxTokens it ends sooner where the model ends the text
   * @returns the new tokens, with the end-of-text token if there was one
   */
  generate(prompt: readonly number[], maxTokens: number): Promise<number[]>
  close(): Promise<void>
}

export interface OpenOptions {
  /** The model in this runtime's own format: a folder or file. */
  model: string
  threads: number
}

/** A runtime at a precision. */
export interface Variant {
  /** As shown in the table. */
  name: string
  runtime: 'lookahead' | 'transformers.js' | 'node-llama-cpp'
  weights: WeightType | TensorType
  /** If it is not to have as many as the others. */
  threads?: 1
}

/**
 * llama.cpp's threads wait for each other in busy loops, and it can be far slower with all cores of a small virtual machine
 * than with one: a user would then give it one, so it is also measured so.
 */
const llama = (weights: TensorType): Variant[] => {
  const variant = { name: `node-llama-cpp ${weights}`, runtime: 'node-llama-cpp', weights } as const
  return [variant, { ...variant, name: `${variant.name}, 1 thread`, threads: 1 }]
}

/** Variants are compared within one precision; the first of each is this project's. */
export const comparisons: Record<'fp32' | 'int8', readonly Variant[]> = {
  fp32: [
    { name: 'lookahead fp32', runtime: 'lookahead', weights: 'fp32' },
    { name: 'transformers.js fp32', runtime: 'transformers.js', weights: 'fp32' },
    ...llama('f32'),
    ...llama('f16'),
  ],
  int8: [
    { name: 'lookahead int8', runtime: 'lookahead', weights: 'int8' },
    { name: 'transformers.js int8', runtime: 'transformers.js', weights: 'int8' },
    ...llama('q8_0'),
  ],
}
