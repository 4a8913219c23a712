import { lookupToken } from '../tokenizer/index.ts'
import type { Decoder } from '../engine/decoder.ts'
import { wholeLogits } from '../model/index.ts'
import type { Row } from '../model/index.ts'
import { judgePrompt } from './judge-prompt.ts'

export interface Pair {
  target: string
  draft: string
}

/** Asks a model whether two steps mean the same and compute the same: one prefill each, decided by the first token. */
export class Judge {
  readonly decoder: Decoder
  readonly #aligned: number
  readonly #unaligned: number

  constructor(decoder: Decoder) {
    this.decoder = decoder
    this.#aligned = lookupToken(decoder.model.tokenizer, 'aligned')
    this.#unaligned = lookupToken(decoder.model.tokenizer, 'unaligned')
  }

  /**
   * All pairs at once, in as few forwards as they fit. @returns for each whether the steps are aligned
   * @throws {ProtocolError} 429 `overloaded`; OnnxRuntimeError; the signal's reason
   */
  async rule(pairs: readonly Pair[], signal?: AbortSignal): Promise<boolean[]> {
    const { model, pool, batcher } = this.decoder
    const leave = batcher.enter()
    const slots: number[] = []
    try {
      const rows = pairs.map(({ target, draft }): Row => {
        const tokens = model.tokenizer.encode(judgePrompt(target, draft)).slice(-model.config.maxPositions)
        const own = this.decoder.take(tokens.length)
        slots.push(...own)
        return {
          tokens,
          positions: tokens.map((_, i) => i),
          writeSlots: own,
          keySlots: own,
          sees: tokens.map((_, i) => [[0, i + 1]]),
          logitRows: [tokens.length - 1],
        }
      })
      const verdicts = await batcher.run(rows, { signal })
      return verdicts.map(([scores]) => {
        const logits = wholeLogits(scores)
        return logits[this.#aligned]! > logits[this.#unaligned]!
      })
    } finally {
      pool.give(slots)
      leave()
    }
  }
}
