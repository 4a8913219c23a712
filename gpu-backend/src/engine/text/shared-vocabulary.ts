import { wholeLogits } from '../../model/index.ts'
import type { Model, Reduction, Scores } from '../../model/index.ts'

/** The tokens of a draft that the target knows: padded vocabularies of one tokenizer differ, and no others may be drafted. */
export class SharedVocabulary {
  readonly #size: number
  readonly #isWhole: boolean

  /** @param size of the target's vocabulary */
  constructor(draft: Model, size: number) {
    this.#size = size
    this.#isWhole = draft.config.vocabSize <= size
  }

  /** What the draft may hand out in place of whole rows: of the likeliest tokens some might be unknown. */
  reduced(reduction: Reduction | undefined): Reduction | undefined {
    return this.#isWhole ? reduction : undefined
  }

  scores(ofDraft: Scores): Scores {
    return this.#isWhole ? ofDraft : wholeLogits(ofDraft).subarray(0, this.#size)
  }
}
