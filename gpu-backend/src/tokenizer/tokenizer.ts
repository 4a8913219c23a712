import * as v from 'valibot'
import { ModelError, readJsonIfAny } from '../checkpoint/index.ts'
import { bytesOfPiece, bytesOfToken } from './bytes.ts'
import { readChatTemplate, type ChatMessage, type RenderOptions } from './chat-template.ts'
import { withoutSpaceBefore } from './continuing.ts'
import { Contents } from './contents.ts'
import { Encoder, type EncodeOptions } from './encoder.ts'
import { BPE } from './library.ts'
import type { Template } from './jinja/index.ts'
import { cutLongRunsOfMarks } from './marks.ts'
import { readTokenizer, type StoredTokenizer } from './stored.ts'
import { StreamingDecoder, type DecodeOptions } from './streaming.ts'
import { encodeOnThread } from './thread.ts'

const namedToken = v.nullish(v.union([v.string(), v.object({ content: v.string() })]))
const tokenNames = ['bos_token', 'eos_token', 'pad_token'] as const
const specialTokensSchema = v.object({ bos_token: namedToken, eos_token: namedToken, pad_token: namedToken })
const tokenizerConfigSchema = v.object({
  ...specialTokensSchema.entries,
  chat_template: v.nullish(v.union([v.string(), v.array(v.object({ name: v.string(), template: v.string() }))])),
})

const nothing = new Uint8Array(0)

/** Texts of so many characters are encoded on a thread: they would hold up the event loop for a noticeable time. */
const LONG = 2 ** 13

/** So many tokens are decoded at a time where others are to have a turn between. */
const PIECE = 2 ** 12

/** How a tokenizer spells bytes: GPT-2's way, as Qwen and Llama 3, or SentencePiece's, as Llama 2 and Mistral. */
type Kind = 'ByteLevel' | 'ByteFallback'
const bytesOf = {
  ByteLevel: { token: bytesOfToken, added: (text: string) => new TextEncoder().encode(text) },
  ByteFallback: { token: bytesOfPiece, added: bytesOfPiece },
} as const

/** A BPE tokenizer that can spell every byte. */
export class Tokenizer {
  /** Tokens that are marks of the format, not text: the end of a turn, padding. */
  readonly specialIds: ReadonlySet<number>
  readonly #folder: string
  readonly #encoder: Encoder
  /** Puts no space before a text. */
  readonly #continuing: Encoder
  /** Whether decoding leaves out the space that a whole text begins with, since encoding put it there. */
  readonly #stripsStart: boolean
  readonly #template: Template | undefined
  readonly #contents: Contents
  /** The special tokens that a template may name, such as `eos_token`. */
  readonly #templateTokens: Readonly<Record<string, string>>
  /** The tokens that end a text by the tokenizer's files. */
  readonly endOfText: readonly number[]
  readonly #bytes: readonly (Uint8Array | undefined)[]
  /** Bytes of the longest token. */
  readonly #longest: number

  private constructor(
    folder: string,
    kind: Kind,
    encoder: Encoder,
    continuing: Encoder,
    stored: StoredTokenizer,
    template: Template | undefined,
    templateTokens: Record<string, string>,
    ends: readonly string[],
  ) {
    this.#folder = folder
    this.#encoder = encoder
    this.#continuing = continuing
    this.#stripsStart = decoderTypes(stored).includes('Strip')
    this.#template = template
    this.#contents = new Contents(stored.added_tokens, template?.source)
    this.#templateTokens = templateTokens
    this.endOfText = ends.flatMap((token) => this.tokenId(token) ?? [])
    this.specialIds = new Set(stored.added_tokens.filter(({ special }) => special).map(({ id }) => id))
    const bytes: (Uint8Array | undefined)[] = []
    for (const [token, id] of stored.model.vocab) bytes[id] = bytesOf[kind].token(token)
    for (const [id, text] of encoder.addedTexts) bytes[id] = bytesOf[kind].added(text)
    this.#bytes = bytes
    this.#longest = bytes.reduce((most, token) => Math.max(most, token?.length ?? 0), 0)
  }

  /**
   * Reads `tokenizer.json`, and `tokenizer_config.json`, `special_tokens_map.json` and `chat_template.jinja` if any.
   *
   * @throws ModelError if a file is missing or broken, or the tokenizer is of another kind
   */
  static async load(folder: string): Promise<Tokenizer> {
    const stored = await readTokenizer(folder)
    const config = (await readJsonIfAny(folder, 'tokenizer_config.json', tokenizerConfigSchema)) ?? {}
    const types = decoderTypes(stored)
    const kind = (['ByteLevel', 'ByteFallback'] as const).find((type) => types.includes(type))
    if (!kind)
      throw new ModelError(
        'unsupported',
        `${folder}: only byte-level tokenizers, as Qwen's and Llama 3's, and those with byte fallback, as Mistral's, are supported`,
      )
    const template = await readChatTemplate(folder, config.chat_template)
    const map = (await readJsonIfAny(folder, 'special_tokens_map.json', specialTokensSchema)) ?? {}
    // As in transformers, what the configuration says comes first.
    const templateTokens = { ...spelled(map), ...spelled(config) }
    const ends = [config, map].flatMap((named) => spelled(named)['eos_token'] ?? [])
    try {
      const model = new BPE({ ...stored.model, vocab: Object.fromEntries(stored.model.vocab) })
      const encoder = new Encoder(stored, model)
      const inner = kind === 'ByteLevel' ? encoder : new Encoder(withoutSpaceBefore(stored), model)
      return new Tokenizer(folder, kind, encoder, inner, stored, template, templateTokens, ends)
    } catch (cause) {
      const reason = (cause as Error).message
      throw new ModelError('unsupported', `the tokenizer of ${folder} cannot be used: ${reason}`, { cause })
    }
  }

  /** Special tokens that the text spells out, as a rendered chat does, become those tokens. */
  encode(text: string, options: EncodeOptions = {}): number[] {
    const { special = false, continuing: goesOn = false, fenced = false } = options
    if (text === '' && !special) return []
    const plain = fenced ? this.#contents.plain : undefined
    return cutLongRunsOfMarks(text).flatMap((piece, i) => {
      const encoder = goesOn || i > 0 ? this.#continuing : this.#encoder
      return encoder.encode(piece, { special: special && i === 0, plain })
    })
  }

  /** The same, but a long text is encoded on another thread, so that nobody else waits for it. @throws the signal's reason */
  async encodeAsync(text: string, options: EncodeOptions = {}, signal?: AbortSignal): Promise<number[]> {
    if (text.length < LONG) return this.encode(text, options)
    return encodeOnThread({ folder: this.#folder, text, options }, signal)
  }

  /** A text of more characters surely has more than `tokens` tokens: normalising never leaves less than half of it. */
  mostCharacters(tokens: number): number {
    return 2 * tokens * this.#longest
  }

  /** One more than the highest id. */
  get size(): number {
    return this.#bytes.length
  }

  /** The id of a token by its spelling in the vocabulary, such as `<|im_end|>`. */
  tokenId(token: string): number | undefined {
    return this.#encoder.tokenId(token)
  }

  /** The bytes of a token's text, which need not be whole characters; none for an id outside the vocabulary. */
  decodeToken(id: number): Uint8Array {
    return this.#bytes[id] ?? nothing
  }

  /** The text of all tokens. For what continues another text use `streaming`, which keeps a space at its start. */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    return [...this.decodeInPieces([...ids], options)].join('')
  }

  /** The same in pieces, each quickly made. */
  *decodeInPieces(ids: readonly number[], options: DecodeOptions = {}): Generator<string, void, undefined> {
    const decoder = this.streaming(options)
    let isStart = this.#stripsStart
    for (let start = 0; start <= ids.length; start += PIECE) {
      const piece =
        decoder.pushAll(ids.slice(start, start + PIECE)) + (start + PIECE > ids.length ? decoder.flush() : '')
      yield isStart && piece.startsWith(' ') ? piece.slice(1) : piece
      if (piece !== '') isStart = false
    }
  }

  streaming(options: DecodeOptions = {}): StreamingDecoder {
    return new StreamingDecoder(this, options)
  }

  get hasChatTemplate(): boolean {
    return this.#template !== undefined
  }

  /**
   * A conversation as the model was taught to read it, to be encoded as `fenced`: marks of the format are the template's alone,
   * and what messages and variables spell of them stays text.
   *
   * @throws ModelError if the folder has no chat template; TemplateError if it refuses the messages, or takes too much
   */
  renderChat(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    if (!this.#template)
      throw new ModelError('unsupported', 'this model has no chat template: send it text, or add chat_template.jinja')
    const { addGenerationPrompt = false, variables = {} } = options
    // transformers always defines the first two, and templates ask whether they are none.
    const own = { tools: null, documents: null, ...this.#templateTokens }
    const said = { ...variables, messages, add_generation_prompt: addGenerationPrompt }
    return this.#template.render(own, said, this.#contents)
  }

  /** What others say, as part of a text to be encoded as `fenced`. */
  fenced(text: string): string {
    return this.#contents.fenced(text)
  }
}

/** The special tokens that a file names, by what they are for. */
function spelled(named: v.InferOutput<typeof specialTokensSchema>): Record<string, string> {
  const tokens: Record<string, string> = {}
  for (const name of tokenNames) {
    const token = named[name]
    if (token) tokens[name] = typeof token === 'string' ? token : token.content
  }
  return tokens
}

function decoderTypes({ decoder }: StoredTokenizer): string[] {
  return [decoder, ...(decoder?.decoders ?? [])].flatMap((step) => step?.type ?? [])
}

/**
 * The id of the one token that `text` is.
 *
 * @throws ModelError if the tokenizer spells it with more tokens
 */
export function lookupToken(tokenizer: Tokenizer, text: string): number {
  const [id, ...more] = tokenizer.encode(text)
  if (id === undefined || more.length > 0)
    throw new ModelError(
      'unsupported',
      `the tokenizer has no single token for ${JSON.stringify(text)}: choose another model`,
    )
  return id
}
