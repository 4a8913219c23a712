import { MPNET_BUCKETS, MPNET_PADDING, type EncoderType, type Pooling } from '../checkpoint/index.ts'
import { Tensor } from '../onnxruntime/index.ts'

/** Added to the score of a place without a token: finite, in float16 too and with a score added. */
const hidden = -30_000

/** Lays texts out as the inputs of `encoderGraph`. @param texts one or more, each of one token or more */
export function sentenceInputs(
  type: EncoderType,
  pooling: Pooling,
  texts: readonly (readonly number[])[],
): Record<string, Tensor> {
  const tokens = texts.flat()
  const [B, S, T] = [texts.length, tokens.length, Math.max(...texts.map((text) => text.length))]
  const padded = new Int32Array(B * T)
  const unpadded = new Int32Array(S)
  const bias = new Float32Array(B * T * T).fill(hidden)
  const shares = new Float32Array(B * S)
  let start = 0
  for (const [b, { length }] of texts.entries()) {
    padded.fill(start, b * T, (b + 1) * T)
    for (let i = 0; i < length; i++) {
      padded[b * T + i] = start + i
      unpadded[start + i] = b * T + i
    }
    for (let row = b * T; row < (b + 1) * T; row++) bias.fill(0, row * T, row * T + length)
    const [counted, share] = pooling === 'mean' ? [length, 1 / length] : [1, 1]
    shares.fill(share, b * S + start, b * S + start + counted)
    start += length
  }
  const positions = texts.flatMap(type === 'mpnet' ? positionsAfterPadding : (text) => [...text.keys()])
  return {
    input_ids: new Tensor('int32', Int32Array.from(tokens), [S]),
    position_ids: new Tensor('int32', Int32Array.from(positions), [S]),
    padded: new Tensor('int32', padded, [B, T]),
    unpadded: new Tensor('int32', unpadded, [S]),
    attention_bias: new Tensor('float32', bias, [B, 1, T, T]),
    pooling: new Tensor('float32', shares, [B, S]),
    ...(type === 'mpnet' ? { buckets: new Tensor('int32', distanceBuckets(T), [T, T]) } : {}),
  }
}

/** A text that spells padding out has its position there (`create_position_ids_from_input_ids`). */
function positionsAfterPadding(text: readonly number[]): number[] {
  let position = MPNET_PADDING
  return text.map((token) => (token === MPNET_PADDING ? MPNET_PADDING : ++position))
}

/**
 * T5's buckets of distances, as MPNet has them (`relative_position_bucket`): half of them for what comes after a token, of
 * these half for one distance each, and the rest in steps that grow up to a distance of 128.
 */
function distanceBuckets(places: number): Int32Array {
  const half = MPNET_BUCKETS / 2
  const exact = half / 2
  const mostDistance = 128
  const bucketOf = (distance: number): number => {
    const after = distance > 0 ? half : 0
    const far = Math.abs(distance)
    if (far < exact) return after + far
    // In single precision, as PyTorch has it: at a boundary the bucket depends on it.
    const part = Math.fround(
      Math.fround(Math.log(Math.fround(far / exact))) / Math.fround(Math.log(mostDistance / exact)),
    )
    return after + Math.min(half - 1, exact + Math.trunc(Math.fround(part * (half - exact))))
  }
  return Int32Array.from({ length: places * places }, (_, i) => bucketOf((i % places) - Math.floor(i / places)))
}
