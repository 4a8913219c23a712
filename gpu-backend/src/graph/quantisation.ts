/** Elements of a row that share a scale and a zero point. */
export const blockSize = 32

/** A matrix [rows, columns] in whole numbers: element ≈ scale · (number − zero point). Laid out for MatMulNBits. */
export interface Quantised {
  /** [rows, blocks, blockSize · bits / 8]; of two 4-bit numbers in a byte, the first is the low half. */
  data: Uint8Array
  /** [rows, blocks] */
  scales: Float32Array
  /** [rows, ⌈blocks · bits / 8⌉], packed as `data` is. */
  zeroPoints: Uint8Array
}

/** Shapes of what `quantise` returns. */
export function quantisedShapes(rows: number, columns: number, bits: 4 | 8) {
  const blocks = Math.ceil(columns / blockSize)
  return {
    data: [rows, blocks, (blockSize * bits) / 8],
    scales: [rows, blocks],
    zeroPoints: [rows, Math.ceil((blocks * bits) / 8)],
  }
}

/**
 * Rounds each element to the nearest of the 2^bits numbers that its block's range is divided into: within half a step.
 * A row's last block may be short; its padding stands for 0.
 *
 * Zero points, because a block's range is rarely symmetric: on the weights of a trained draft, the error without them is
 * 13 % larger in 8 bits and 7 to 21 % larger in 4 (with either way to choose the scale). They cost nothing on x64, where
 * ONNX Runtime folds scale times zero point into block sums as it loads the model, with or without zero points given.
 *
 * @param round to the type that scales are stored in; defaults to float32
 */
export function quantise(
  values: Float32Array,
  columns: number,
  bits: 4 | 8,
  round: (value: number) => number = Math.fround,
): Quantised {
  const rows = values.length / columns
  const blocks = Math.ceil(columns / blockSize)
  const zeroPointBytes = Math.ceil((blocks * bits) / 8)
  const levels = 2 ** bits - 1
  const data = new Uint8Array((rows * blocks * blockSize * bits) / 8)
  const scales = new Float32Array(rows * blocks)
  const zeroPoints = new Uint8Array(rows * zeroPointBytes)
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const from = row * columns + block * blockSize
      const count = Math.min(blockSize, columns - block * blockSize)
      // 0 is always in range, so that padding, and weights that were pruned, are exact.
      let [low, high] = [0, 0]
      for (let i = from; i < from + count; i++) {
        low = Math.min(low, values[i]!)
        high = Math.max(high, values[i]!)
      }
      // Rounded first: the steps counted below are then those of the scale that is stored.
      const scale = round((high - low) / levels)
      const steps = scale === 0 ? 0 : 1 / scale
      const zeroPoint = Math.min(Math.round(-low * steps), levels)
      const at = row * blocks + block
      scales[at] = scale
      put(zeroPoints, row * zeroPointBytes, block, zeroPoint, bits)
      for (let i = 0; i < blockSize; i++) {
        const number = i < count ? Math.round(values[from + i]! * steps) + zeroPoint : zeroPoint
        put(data, (at * blockSize * bits) / 8, i, Math.min(Math.max(number, 0), levels), bits)
      }
    }
  }
  return { data, scales, zeroPoints }
}

/** Writes the i-th number of those that begin at byte `start`. The byte must still be empty there. */
function put(bytes: Uint8Array, start: number, i: number, number: number, bits: 4 | 8): void {
  if (bits === 8) bytes[start + i] = number
  else bytes[start + (i >> 1)]! |= number << (4 * (i & 1))
}
