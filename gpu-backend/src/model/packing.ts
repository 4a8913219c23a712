import type { IoBinding } from '../onnxruntime/index.ts'
import { ShapedBuffer } from './buffer.ts'
import type { Row } from './row.ts'

/** Key lengths are padded to a multiple of this, so that a growing context keeps its shape for many tokens. */
const keyBlock = 32

/**
 * Added to the score of a key that a query must not see: finite, in float16 too and with a score added, so that a padding
 * query, which sees none, gives no NaN.
 */
const hidden = -30_000

/** Lays rows out as the decoder graph's inputs, in memory that later forwards use again. */
export class Packing {
  readonly #tokens = ShapedBuffer.int32()
  readonly #positions = ShapedBuffer.int64()
  readonly #writeSlots = ShapedBuffer.int64()
  readonly #queryIndex = ShapedBuffer.int32()
  readonly #keyIndex = ShapedBuffer.int32()
  readonly #bias = ShapedBuffer.float32()
  readonly #unpadIndex = ShapedBuffer.int32()
  readonly #logitRows = ShapedBuffer.int32()

  /**
   * Writes and binds every input but the pool. The graph's description explains the layout.
   * @param wanted logit rows; where the rows want none, 1 for the first token's
   */
  bind(binding: IoBinding, rows: readonly Row[], newTokens: number, wanted: number): void {
    let Q = 0
    let longest = 1
    for (const row of rows) {
      Q = Math.max(Q, row.tokens.length)
      longest = Math.max(longest, row.keySlots.length)
    }
    const B = rows.length
    const T = Math.ceil(longest / keyBlock) * keyBlock
    const tokens = this.#tokens.reserve(newTokens)
    const positions = this.#positions.reserve(newTokens, 1)
    const writeSlots = this.#writeSlots.reserve(newTokens, 1)
    const queryIndex = this.#queryIndex.reserve(B, Q)
    const keyIndex = this.#keyIndex.reserve(B, T)
    const bias = this.#bias.reserve(B, 1, Q, T)
    const unpadIndex = this.#unpadIndex.reserve(newTokens)
    const logitRows = this.#logitRows.reserve(wanted)

    bias.data.fill(hidden, 0, B * Q * T)
    logitRows.data[0] = 0
    let packed = 0
    let logit = 0
    for (const [b, row] of rows.entries()) {
      const n = row.tokens.length
      keyIndex.data.set(row.keySlots, b * T)
      keyIndex.data.fill(row.keySlots[0] ?? 0, b * T + row.keySlots.length, (b + 1) * T)
      queryIndex.data.fill(packed, b * Q, (b + 1) * Q)
      for (const i of row.logitRows) logitRows.data[logit++] = packed + i
      for (let i = 0; i < n; i++, packed++) {
        tokens.data[packed] = row.tokens[i]!
        positions.data[2 * packed] = row.positions[i]!
        writeSlots.data[2 * packed] = row.writeSlots[i]!
        queryIndex.data[b * Q + i] = packed
        unpadIndex.data[packed] = b * Q + i
        const start = (b * Q + i) * T
        for (const [from, to] of row.sees[i]!) bias.data.fill(0, start + from, start + to)
      }
    }

    binding.bindInput('input_ids', tokens.tensor)
    binding.bindInput('position_ids', positions.tensor)
    binding.bindInput('write_slots', writeSlots.tensor)
    binding.bindInput('query_index', queryIndex.tensor)
    binding.bindInput('key_index', keyIndex.tensor)
    binding.bindInput('attention_bias', bias.tensor)
    binding.bindInput('unpad_index', unpadIndex.tensor)
    binding.bindInput('logit_rows', logitRows.tensor)
  }

  close(): void {
    const buffers = [this.#tokens, this.#positions, this.#writeSlots, this.#queryIndex, this.#keyIndex, this.#bias]
    for (const buffer of [...buffers, this.#unpadIndex, this.#logitRows]) buffer.close()
  }
}
