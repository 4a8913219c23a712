import { Tree } from '../decode/tree.ts'
import type { ModelRunner } from '../model-runner.ts'
import { ModelError } from '../../checkpoint/index.ts'
import { wholeLogits } from '../../model/index.ts'
import { lookupToken, Tokenizer } from '../../tokenizer/index.ts'
import { ALIGNED, judgePrompt, judgeTokens, UNALIGNED } from './judge-prompt.ts'

export interface Pair {
  target: string
  draft: string
}

/**
 * Whether a checkpoint may be one that was taught to judge; looked up before any model is loaded.
 * @throws ModelError `unsupported` if it certainly was not; or if its tokenizer is missing or broken
 */
export async function assertCanJudge(folder: string): Promise<void> {
  const tokenizer = await Tokenizer.load(folder)
  const missing = judgeTokens.find((token) => tokenizer.encode(token).length !== 1)
  if (missing === undefined) return
  throw new ModelError(
    'unsupported',
    `${folder} cannot be the judge: its tokenizer has no single token for ${JSON.stringify(missing)}, which a judge reads or ` +
      'answers; put a model there that was taught to judge, as the demo judge was, or serve without one: --judge none ' +
      "(then only drafted steps equal to the target's own are accepted)",
  )
}

/** Asks a model whether two steps mean the same and compute the same: one prefill each, decided by the first token. */
export class Judge {
  readonly runner: ModelRunner
  readonly #aligned: number
  readonly #unaligned: number

  constructor(runner: ModelRunner) {
    this.runner = runner
    this.#aligned = lookupToken(runner.model.tokenizer, ALIGNED)
    this.#unaligned = lookupToken(runner.model.tokenizer, UNALIGNED)
  }

  /**
   * All pairs at once, in as few forwards as they fit; waits for slots. @returns for each whether the steps are aligned
   * @throws {OnnxRuntimeError}; the signal's reason
   */
  rule(pairs: readonly Pair[], signal?: AbortSignal): Promise<boolean[]> {
    return Promise.all(pairs.map((pair) => this.#isAligned(pair, signal)))
  }

  async #isAligned({ target, draft }: Pair, signal: AbortSignal | undefined): Promise<boolean> {
    const { model, capacity } = this.runner
    const tokens = model.tokenizer.encode(judgePrompt(target, draft)).slice(-capacity)
    const tree = new Tree(this.runner, { signal })
    try {
      const [scores] = await tree.prefill(tokens, [], [0])
      const logits = wholeLogits(scores)
      return logits[this.#aligned]! > logits[this.#unaligned]!
    } finally {
      tree.release()
    }
  }
}
