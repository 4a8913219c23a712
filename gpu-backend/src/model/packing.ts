import { Tensor, type IoBinding } from '../onnxruntime/index.ts'
import { ShapedBuffer } from './buffer.ts'
import { KEY_BLOCK, type Region } from './region.ts'
import type { Row } from './row.ts'

/**
 * Added to the score of a key that a query must not see: finite, in float16 too and with a score added, so that a padding
 * query, which sees none, gives no NaN.
 */
const hidden = -30_000

const flag = (value: boolean): Tensor => new Tensor('bool', Int32Array.of(value ? 1 : 0), [])

/** Lays rows out as the decoder graph's inputs, in memory that later forwards use again. */
export class Packing {
  /** Query heads that share a key head. */
  readonly #group: number
  readonly #tokens = ShapedBuffer.int32()
  readonly #positions = ShapedBuffer.int64()
  readonly #writeSlots = ShapedBuffer.int64()
  readonly #queryIndex = ShapedBuffer.int32()
  readonly #keyIndex = ShapedBuffer.int32()
  readonly #bias = ShapedBuffer.float32()
  readonly #unpadIndex = ShapedBuffer.int32()
  readonly #logitRows = ShapedBuffer.int32()
  readonly #inPlace = flag(true)
  readonly #collected = flag(false)

  constructor(group: number) {
    this.#group = group
  }

  /**
   * Writes and binds every input but the pool. The graph's description explains the layout.
   * @param region that the pool is bound to, with the keys of the only row; undefined if they are collected from all of it
   * @param wanted logit rows; where the rows want none, 1 for the first token's
   */
  bind(binding: IoBinding, rows: readonly Row[], newTokens: number, wanted: number, region: Region | undefined): void {
    const G = this.#group
    const B = rows.length
    const Q = Math.max(...rows.map(({ tokens }) => tokens.length))
    const longest = Math.max(1, ...rows.map(({ keySlots }) => keySlots.length))
    const T = region?.count ?? Math.ceil(longest / KEY_BLOCK) * KEY_BLOCK
    const tokens = this.#tokens.reserve(newTokens)
    const positions = this.#positions.reserve(newTokens, 1)
    const writeSlots = this.#writeSlots.reserve(newTokens, 2)
    const queryIndex = this.#queryIndex.reserve(B, Q * G)
    const keyIndex = region ? this.#keyIndex.reserve(1, 1) : this.#keyIndex.reserve(B, T)
    const bias = this.#bias.reserve(B, Q, 1, T)
    const unpadIndex = this.#unpadIndex.reserve(newTokens * G)
    const logitRows = this.#logitRows.reserve(wanted)

    bias.data.fill(hidden, 0, B * Q * T)
    logitRows.data[0] = 0
    let packed = 0
    let logit = 0
    for (const [b, row] of rows.entries()) {
      const { keySlots } = row
      if (!region) {
        keyIndex.data.set(keySlots, b * T)
        keyIndex.data.fill(keySlots[0] ?? 0, b * T + keySlots.length, (b + 1) * T)
      }
      queryIndex.data.fill(packed * (G + 1), b * Q * G, (b + 1) * Q * G)
      for (const i of row.logitRows) logitRows.data[logit++] = packed + i
      for (const [i, token] of row.tokens.entries()) {
        const place = b * Q + i
        tokens.data[packed] = token
        positions.data[2 * packed] = row.positions[i]!
        writeSlots.data[4 * packed + 2] = row.writeSlots[i]! - (region?.from ?? 0)
        for (let g = 0; g < G; g++) {
          queryIndex.data[place * G + g] = packed * (G + 1) + g
          unpadIndex.data[packed * G + g] = place * G + g
        }
        for (const [from, to] of row.sees[i]!)
          if (region) reveal(bias.data, place * T, region, from, to)
          else bias.data.fill(0, place * T + from, place * T + to)
        packed++
      }
    }

    binding.bindInput('input_ids', tokens.tensor)
    binding.bindInput('position_ids', positions.tensor)
    binding.bindInput('write_slots', writeSlots.tensor)
    binding.bindInput('in_place', region ? this.#inPlace : this.#collected)
    binding.bindInput('query_index', queryIndex.tensor)
    binding.bindInput('key_index', keyIndex.tensor)
    binding.bindInput('attention_bias', bias.tensor)
    binding.bindInput('unpad_index', unpadIndex.tensor)
    binding.bindInput('logit_rows', logitRows.tensor)
  }

  close(): void {
    const buffers = [this.#tokens, this.#positions, this.#writeSlots, this.#queryIndex, this.#keyIndex, this.#bias]
    for (const buffer of [...buffers, this.#unpadIndex, this.#logitRows, this.#inPlace, this.#collected]) buffer.close()
  }
}

/** Lets a query, whose places in the bias begin at `start`, see keys `from` to `to` where they lie in the region. */
function reveal(bias: Float32Array, start: number, region: Region, from: number, to: number): void {
  for (const { index, slot, length } of region.stretches) {
    const [first, end] = [Math.max(from, index), Math.min(to, index + length)]
    const offset = start + slot - region.from - index
    if (first < end) bias.fill(0, offset + first, offset + end)
  }
}
