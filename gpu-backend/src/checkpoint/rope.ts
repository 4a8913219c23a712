import * as v from 'valibot'

/** How the rotation of long contexts differs from plain rotary embedding. Positions and wavelengths are in tokens. */
export type RopeScaling =
  | { type: 'default' }
  /** Every position is divided by `factor`. */
  | { type: 'linear'; factor: number }
  /** Long wavelengths are stretched by `factor`, short ones kept, those between `original / high` and `/ low` blended. */
  | {
      type: 'llama3'
      factor: number
      lowFrequencyFactor: number
      highFrequencyFactor: number
      originalPositions: number
    }
  /**
   * YaRN (https://arxiv.org/abs/2309.00071): pairs that turn more than `betaFast` times within the original length are
   * kept, those below `betaSlow` turns stretched by `factor`, the rest blended; cos and sin are multiplied by `magnitude`.
   */
  | {
      type: 'yarn'
      factor: number
      betaFast: number
      betaSlow: number
      originalPositions: number
      magnitude: number
      /** The ends of the blended range are rounded outwards to whole pairs. */
      truncate: boolean
    }

const positive = v.nullish(v.pipe(v.number(), v.gtValue(0)))

/** Both spellings: `rope_scaling`, and the `rope_parameters` of transformers 5, which also holds the base. */
export const ropeSchema = v.looseObject({
  rope_type: v.nullish(v.string()),
  /** What older checkpoints call rope_type. */
  type: v.nullish(v.string()),
  rope_theta: positive,
  factor: positive,
  low_freq_factor: positive,
  high_freq_factor: positive,
  original_max_position_embeddings: positive,
  beta_fast: positive,
  beta_slow: positive,
  attention_factor: positive,
  mscale: v.nullish(v.number()),
  mscale_all_dim: v.nullish(v.number()),
  truncate: v.nullish(v.boolean()),
  partial_rotary_factor: positive,
})

type Rope = v.InferOutput<typeof ropeSchema>

/**
 * Reads the scaling as transformers does (modeling_rope_utils.py).
 *
 * @param originalPositions the length the model was first trained for, where `rope` does not say
 * @param refuse throws an error with this reason: the type is unknown, or a number it needs is missing
 */
export function ropeScaling(
  rope: Rope | null | undefined,
  originalPositions: number,
  refuse: (reason: string) => never,
): RopeScaling {
  const nested = Object.entries(rope ?? {}).find(([, value]) => isRecord(value))
  if (nested) refuse(`a rotation of its own for ${nested[0]} layers is not supported`)
  const type = rope?.rope_type ?? rope?.type ?? 'default'
  if ((rope?.partial_rotary_factor ?? 1) !== 1) refuse('partial_rotary_factor is not supported, only 1')
  const need = (name: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number =>
    rope?.[name] ?? refuse(`rope type ${type} needs ${name}`)
  const original = rope?.original_max_position_embeddings ?? originalPositions
  switch (type) {
    case 'default':
      return { type }
    case 'linear':
      return { type, factor: need('factor') }
    case 'llama3':
      return {
        type,
        factor: need('factor'),
        lowFrequencyFactor: need('low_freq_factor'),
        highFrequencyFactor: need('high_freq_factor'),
        originalPositions: original,
      }
    case 'yarn': {
      const factor = need('factor')
      return {
        type,
        factor,
        betaFast: rope?.beta_fast ?? 32,
        betaSlow: rope?.beta_slow ?? 1,
        originalPositions: original,
        magnitude: rope?.attention_factor ?? yarnMagnitude(factor, rope?.mscale, rope?.mscale_all_dim),
        truncate: rope?.truncate ?? true,
      }
    }
    default:
      return refuse(`rope type ${type} is not supported, only default, linear, llama3 and yarn`)
  }
}

const isRecord = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the longer softmax loses in sharpness; DeepSeek's checkpoints state it as a quotient of two such terms. */
function yarnMagnitude(factor: number, scale?: number | null, allDimensions?: number | null): number {
  const term = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1)
  return scale && allDimensions ? term(scale) / term(allDimensions) : term(1)
}
