import { AddedTokens } from './added-tokens.ts'
import { byteCharacters } from './bytes.ts'
import { SequenceNormalizer, SequencePostProcessor, SequencePreTokenizer, type WordModel } from './library.ts'
import { literal, normalizers, preTokenizers, replace } from './steps.ts'
import type { Step, StoredTokenizer } from './stored.ts'

/** What a caller of the tokenizer may ask for. */
export interface EncodeOptions {
  /** Adds what the tokenizer puts around every text, such as a begin-of-text token. Default false: chat templates spell it out. */
  special?: boolean | undefined
  /** The text goes on another one, so SentencePiece's space is not put before it. Default false. */
  continuing?: boolean | undefined
  /** The text has parts from `fenced`, as a rendered chat: marks that those spell out are text. Default false. */
  fenced?: boolean | undefined
}

/** What the tokenizer asks the encoder for. */
interface EncoderOptions {
  /** Adds what is put around every text. */
  special: boolean
  /** What a text with stand-ins (`Contents`) says: they are taken out once added tokens have been found. Default: it has none. */
  plain?: ((text: string) => string) | undefined
  /** Tokens, those put around it included; what is beyond is left out. Default: all are wanted. */
  most?: number
}

const same = (text: string): string => text

/**
 * Texts to token ids, step by step as Python's tokenizers: added tokens are found, what is between them is normalised,
 * those that stand in normalised text are found, the rest is split into words, and words into tokens.
 */
export class Encoder {
  /** The text that each added token is found by, and stands for; by id. */
  readonly addedTexts: ReadonlyMap<number, string>
  readonly #model: WordModel
  readonly #added: AddedTokens
  readonly #addedToNormalized: AddedTokens
  readonly #normalizer: SequenceNormalizer
  readonly #preTokenizer: SequencePreTokenizer
  /** Ids of added tokens, by their spelling in the file. */
  readonly #ids: ReadonlyMap<string, number>
  /** What is put around every text. */
  readonly #around: readonly [before: number[], after: number[]]

  /** @throws Error for a step that is not supported */
  constructor(stored: Omit<StoredTokenizer, 'model'>, model: WordModel) {
    this.#model = model
    this.#normalizer = new SequenceNormalizer({
      normalizers: stored.normalizer ? normalizers(stored.normalizer) : [],
    })
    const splitting = stored.pre_tokenizer ? preTokenizers(stored.pre_tokenizer) : []
    this.#preTokenizer = new SequencePreTokenizer({ pretokenizers: [...splitting, ...leaveOut(splitting, model)] })
    const found = stored.added_tokens.map(
      (token) => [token.normalized ? this.#normalizer.normalize(token.content) : token.content, token] as const,
    )
    this.#added = new AddedTokens(found.filter(([, { normalized }]) => !normalized))
    this.#addedToNormalized = new AddedTokens(found.filter(([, { normalized }]) => normalized))
    this.addedTexts = new Map(found.map(([text, { id }]) => [id, text]))
    this.#ids = new Map(stored.added_tokens.map(({ content, id }) => [content, id]))
    this.#around = this.#readAround(stored.post_processor)
  }

  encode(text: string, { special, plain = same, most = Infinity }: EncoderOptions): number[] {
    const ids = this.#added
      .split(text)
      .flatMap((piece) => ('id' in piece ? piece.id : this.#encodeBetween(piece.text, piece.start === 0, plain)))
    if (!special) return ids.slice(0, most)
    const [before, after] = this.#around
    const room = Math.max(0, most - before.length - after.length)
    return [...before, ...ids.slice(0, room), ...after]
  }

  #encodeBetween(text: string, isFirst: boolean, plain: (text: string) => string): number[] {
    return this.#addedToNormalized.split(this.#normalizer.normalize(text)).flatMap((piece) => {
      if ('id' in piece) return piece.id
      return this.#encodeWords(plain(piece.text), isFirst && piece.start === 0)
    })
  }

  #encodeWords(text: string, isFirst: boolean): number[] {
    const words = this.#preTokenizer.pre_tokenize(text, { section_index: isFirst ? 0 : 1 })
    const { tokens_to_ids: ids, unk_token_id: unknown } = this.#model
    return this.#model(words).map((token) => (ids.get(token) ?? unknown)!)
  }

  /** The id of a token by its spelling. */
  tokenId(token: string): number | undefined {
    return this.#ids.get(token) ?? this.#model.tokens_to_ids.get(token)
  }

  #readAround(stored: StoredTokenizer['post_processor']): [before: number[], after: number[]] {
    const text = '\0text'
    const processor = new SequencePostProcessor({ processors: stored ? [stored] : [] })
    const { tokens } = processor.post_process([text], null, true)
    const at = tokens.indexOf(text)
    const ids = tokens.map((token) => {
      const id = token === text ? 0 : this.tokenId(token)
      if (id === undefined) throw new Error(`${JSON.stringify(token)}, put around every text, is none of its tokens`)
      return id
    })
    return [ids.slice(0, at), ids.slice(at + 1)]
  }
}

/**
 * Without an unknown token, Python's tokenizers leaves out bytes that have no token, and merges what stands around them. The
 * library does not merge across them, so they are taken out before.
 */
function leaveOut(splitting: readonly Step[], { tokens_to_ids: ids, unk_token_id: unknown }: WordModel): Step[] {
  const isBytes = splitting.some(({ type }) => type === 'ByteLevel')
  const absent = byteCharacters.filter((character) => !ids.has(character))
  return isBytes && unknown === undefined && absent.length > 0 ? [replace(`[${literal(absent.join(''))}]`, '')] : []
}
