import { Tree } from '../decode/tree.ts'
import type { ModelRunner } from '../model-runner.ts'
import { wholeLogits } from '../../model/index.ts'
import { lookupToken } from '../../tokenizer/index.ts'
import { judgePrompt } from './judge-prompt.ts'

export interface Pair {
  target: string
  draft: string
}

/** Asks a model whether two steps mean the same and compute the same: one prefill each, decided by the first token. */
export class Judge {
  readonly decoder: ModelRunner
  readonly #aligned: number
  readonly #unaligned: number

  constructor(decoder: ModelRunner) {
    this.decoder = decoder
    this.#aligned = lookupToken(decoder.model.tokenizer, 'aligned')
    this.#unaligned = lookupToken(decoder.model.tokenizer, 'unaligned')
  }

  /**
   * All pairs at once, in as few forwards as they fit; waits for slots. @returns for each whether the steps are aligned
   * @throws {OnnxRuntimeError}; the signal's reason
   */
  rule(pairs: readonly Pair[], signal?: AbortSignal): Promise<boolean[]> {
    return Promise.all(pairs.map((pair) => this.#isAligned(pair, signal)))
  }

  async #isAligned({ target, draft }: Pair, signal: AbortSignal | undefined): Promise<boolean> {
    const { model, capacity } = this.decoder
    const tokens = model.tokenizer.encode(judgePrompt(target, draft)).slice(-capacity)
    const tree = new Tree(this.decoder, { signal })
    try {
      const [scores] = await tree.prefill(tokens, [], [0])
      const logits = wholeLogits(scores)
      return logits[this.#aligned]! > logits[this.#unaligned]!
    } finally {
      tree.release()
    }
  }
}
