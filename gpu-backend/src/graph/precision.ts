import type { DecoderConfig } from '../checkpoint/index.ts'
import type { Device } from '../onnxruntime/index.ts'

/**
 * How the linear layers' weights and the embedding are kept. In int8 and int4 the embedding, which is looked up and not
 * multiplied, has the activations' type.
 */
export const weightTypes = ['fp32', 'fp16', 'bf16', 'int8', 'int4'] as const
export type WeightType = (typeof weightTypes)[number]

/** The element type of activations, norms, rotations and the pool. */
export type ActivationType = 'float32' | 'float16' | 'bfloat16'

/** The element types of weights that are not quantised. */
export const floatTypes = {
  fp32: 'float32',
  fp16: 'float16',
  bf16: 'bfloat16',
} as const satisfies Partial<Record<WeightType, ActivationType>>

/** In which numbers a graph's weights are kept, and in which it computes. */
export interface Precision {
  weights: WeightType
  activations: ActivationType
}

export interface PrecisionOptions {
  /** Defaults to the CPU. */
  device?: Device | undefined
  /** Defaults to fp32 on the CPU, and to the checkpoint's own half precision on CUDA. */
  weights?: WeightType | undefined
  /** Defaults to float32 on the CPU, which has few kernels for halves, and to what the weights are on CUDA. */
  activations?: ActivationType | undefined
}

/** What is left open follows the device and the checkpoint. Quantised weights go with float16 on CUDA. */
export function precisionOf(config: Pick<DecoderConfig, 'halfType'>, options: PrecisionOptions = {}): Precision {
  const { device = 'cpu', weights = device === 'cpu' ? 'fp32' : config.halfType } = options
  const own = weights === 'int8' || weights === 'int4' ? 'float16' : floatTypes[weights]
  return { weights, activations: options.activations ?? (device === 'cpu' ? 'float32' : own) }
}
