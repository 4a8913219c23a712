import { ModelError } from '../checkpoint/index.ts'
import { Encoder } from './encoder.ts'
import { WordPiece } from './library.ts'
import { readWordPiece, type StoredWordPiece } from './stored.ts'

/** BERT's kind of tokenizer: words are cut into the longest pieces that the vocabulary has. It reads texts and writes none. */
export class WordPieceTokenizer {
  /** One more than the highest id. */
  readonly size: number
  readonly #encoder: Encoder

  private constructor(encoder: Encoder, { model, added_tokens: added }: StoredWordPiece) {
    this.#encoder = encoder
    this.size = [...model.vocab.values(), ...added.map(({ id }) => id)].reduce((most, id) => Math.max(most, id + 1), 0)
  }

  /**
   * Reads `tokenizer.json`.
   *
   * @param options.lowercase before all else that normalises. Default false
   * @throws ModelError if it is missing or broken, or the tokenizer is of another kind
   */
  static async load(folder: string, { lowercase = false } = {}): Promise<WordPieceTokenizer> {
    const stored = await readWordPiece(folder)
    const { normalizer } = stored
    const lowered = { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, ...(normalizer ? [normalizer] : [])] }
    try {
      const model = new WordPiece({ ...stored.model, vocab: Object.fromEntries(stored.model.vocab) })
      const encoder = new Encoder({ ...stored, normalizer: lowercase ? lowered : normalizer }, model)
      return new WordPieceTokenizer(encoder, stored)
    } catch (cause) {
      const reason = (cause as Error).message
      throw new ModelError('unsupported', `the tokenizer of ${folder} cannot be used: ${reason}`, { cause })
    }
  }

  /** A text's tokens with what is put around every text, such as [CLS] and [SEP]. @param most so many are kept, from the start */
  encode(text: string, most: number): number[] {
    return this.#encoder.encode(text, { special: true, most })
  }
}
