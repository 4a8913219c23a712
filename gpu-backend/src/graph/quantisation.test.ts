import { describe, expect, test } from 'vitest'
import { blockSize, quantise, quantisedShapes, type Quantised } from './quantisation.ts'

/** The numbers as they are read back: [rows, blocks, blockSize], padding included. */
function dequantise({ data, scales, zeroPoints }: Quantised, rows: number, columns: number, bits: 4 | 8): number[] {
  const blocks = Math.ceil(columns / blockSize)
  const zeroPointBytes = Math.ceil((blocks * bits) / 8)
  const get = (bytes: Uint8Array, start: number, i: number) =>
    bits === 8 ? bytes[start + i]! : (bytes[start + Math.floor(i / 2)]! >> (i % 2 === 0 ? 0 : 4)) & 15
  return Array.from({ length: rows * blocks * blockSize }, (_, i) => {
    const at = Math.floor(i / blockSize)
    const zeroPoint = get(zeroPoints, Math.floor(at / blocks) * zeroPointBytes, at % blocks)
    return scales[at]! * (get(data, 0, i) - zeroPoint)
  })
}

/** Rows of different sizes and signs: around 0, all above it, all below it, one outlier, all 0. */
function matrix(columns: number): { values: Float32Array; rows: number } {
  const kinds = [
    (x: number) => x - 0.5,
    (x: number) => 3 + x,
    (x: number) => -1e-3 * (1 + x),
    (x: number, i: number) => (i === 7 ? 50 : x),
    () => 0,
  ]
  let state = 1
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647
  const values = kinds.flatMap((kind) => Array.from({ length: columns }, (_, i) => kind(random(), i)))
  return { values: Float32Array.from(values), rows: kinds.length }
}

describe.each([8, 4] as const)('%d bits', (bits) => {
  test.each([32, 96, 40, 7])('%d columns: every element is within half a step, padding is 0', (columns) => {
    const { values, rows } = matrix(columns)
    const quantised = quantise(values, columns, bits)
    const padded = Math.ceil(columns / blockSize) * blockSize
    const back = dequantise(quantised, rows, columns, bits)
    for (let i = 0; i < back.length; i++) {
      const [row, column] = [Math.floor(i / padded), i % padded]
      const value = column < columns ? values[row * columns + column]! : 0
      const step = quantised.scales[Math.floor(i / blockSize)]!
      // The margin is the rounding of float32.
      expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(column < columns ? step * 0.50001 : 0)
    }
  })

  test('a step is the range of a block, 0 included, divided by the steps there are', () => {
    const values = Float32Array.from({ length: 2 * blockSize }, (_, i) => (i < blockSize ? i - 10 : 5))
    const { scales } = quantise(values, 2 * blockSize, bits)
    expect(scales[0]).toBeCloseTo(31 / (2 ** bits - 1), 6)
    expect(scales[1]).toBeCloseTo(5 / (2 ** bits - 1), 6)
  })

  test('sizes are those of the shapes', () => {
    const size = (shape: number[]) => shape.reduce((product, n) => product * n, 1)
    const { data, scales, zeroPoints } = quantise(new Float32Array(3 * 80), 80, bits)
    const shapes = quantisedShapes(3, 80, bits)
    expect([data, scales, zeroPoints].map(({ length }) => length)).toEqual(
      [shapes.data, shapes.scales, shapes.zeroPoints].map(size),
    )
  })
})
