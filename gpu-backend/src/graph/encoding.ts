import { ModelError, toBfloat16 } from '../checkpoint/index.ts'
import type { ActivationType } from './precision.ts'

/** What a weights file is written from. */
export type Encoded = Float32Array | Float16Array | Uint16Array | Uint8Array

/**
 * Float32 numbers in the element type of a weight.
 *
 * @param name cited where a number does not fit
 * @throws ModelError if one is too large for float16
 */
export function encodeFloats(name: string, type: ActivationType, elements: Float32Array): Encoded {
  if (type === 'float32') return elements
  if (type === 'bfloat16') return toBfloat16(elements)
  const halves = new Float16Array(elements)
  if (halves.includes(Infinity) || halves.includes(-Infinity))
    throw new ModelError(
      'unsupported',
      `${name} has numbers too large for fp16: keep the weights in bf16, fp32 or int8`,
    )
  return halves
}

/** The nearest number that the type holds. */
export const rounding: Record<ActivationType, (value: number) => number> = {
  float32: Math.fround,
  float16: (value) => new Float16Array([value])[0]!,
  bfloat16: (value) => new Float32Array(new Uint32Array([toBfloat16(Float32Array.of(value))[0]! << 16]).buffer)[0]!,
}
