import { Tokenizer as Encoder } from '@huggingface/tokenizers'
import type { Template } from '@huggingface/jinja'
import * as v from 'valibot'
import { ModelError, readJson, readJsonIfAny } from '../checkpoint/index.ts'
import { bytesOfToken } from './bytes.ts'
import { readChatTemplate, type ChatMessage, type RenderOptions } from './chat-template.ts'
import { StreamingDecoder, type DecodeOptions } from './streaming.ts'

const decoderSchema = v.looseObject({
  type: v.string(),
  decoders: v.optional(v.array(v.looseObject({ type: v.string() }))),
})
const tokenizerSchema = v.looseObject({
  model: v.looseObject({ type: v.optional(v.string()), vocab: v.record(v.string(), v.number()) }),
  decoder: v.nullish(decoderSchema),
  added_tokens: v.optional(
    v.array(v.looseObject({ id: v.number(), content: v.string(), special: v.optional(v.boolean(), false) })),
    [],
  ),
})
const namedToken = v.nullish(v.union([v.string(), v.looseObject({ content: v.string() })]))
const tokenizerConfigSchema = v.looseObject({
  bos_token: namedToken,
  eos_token: namedToken,
  pad_token: namedToken,
  chat_template: v.nullish(v.union([v.string(), v.array(v.looseObject({ name: v.string(), template: v.string() }))])),
})

const nothing = new Uint8Array(0)

/** A byte-level BPE tokenizer, as Qwen, Llama 3 and GPT-2 have. */
export class Tokenizer {
  /** Tokens that are marks of the format, not text: the end of a turn, padding. */
  readonly specialIds: ReadonlySet<number>
  readonly #encoder: Encoder
  readonly #template: Template | undefined
  /** The special tokens that a template may name, such as `eos_token`. */
  readonly #templateTokens: Readonly<Record<string, string>>
  readonly #bytes: readonly (Uint8Array | undefined)[]

  private constructor(
    encoder: Encoder,
    stored: v.InferOutput<typeof tokenizerSchema>,
    template: Template | undefined,
    templateTokens: Record<string, string>,
  ) {
    this.#encoder = encoder
    this.#template = template
    this.#templateTokens = templateTokens
    this.specialIds = new Set(stored.added_tokens.filter(({ special }) => special).map(({ id }) => id))
    const bytes: (Uint8Array | undefined)[] = []
    for (const [token, id] of Object.entries(stored.model.vocab)) bytes[id] = bytesOfToken(token)
    for (const { id, content } of stored.added_tokens) bytes[id] = new TextEncoder().encode(content)
    this.#bytes = bytes
  }

  /**
   * Reads `tokenizer.json`, and `tokenizer_config.json` and `chat_template.jinja` if any.
   *
   * @throws ModelError if a file is missing or broken, or the tokenizer is not byte-level
   */
  static async load(folder: string): Promise<Tokenizer> {
    const stored = await readJson(folder, 'tokenizer.json', tokenizerSchema)
    const config = (await readJsonIfAny(folder, 'tokenizer_config.json', tokenizerConfigSchema)) ?? {}
    const decoders = [stored.decoder, ...(stored.decoder?.decoders ?? [])]
    if (!decoders.some((decoder) => decoder?.type === 'ByteLevel'))
      throw new ModelError(
        'unsupported',
        `${folder}: only byte-level tokenizers are supported, as Qwen's and Llama 3's`,
      )
    const template = await readChatTemplate(folder, config.chat_template)
    const templateTokens: Record<string, string> = {}
    for (const name of ['bos_token', 'eos_token', 'pad_token'] as const) {
      const token = config[name]
      if (token) templateTokens[name] = typeof token === 'string' ? token : token.content
    }
    try {
      return new Tokenizer(new Encoder(stored, config), stored, template, templateTokens)
    } catch (cause) {
      const reason = (cause as Error).message
      throw new ModelError('unsupported', `the tokenizer of ${folder} cannot be used: ${reason}`, { cause })
    }
  }

  /**
   * Special tokens that the text spells out, as a rendered chat does, become those tokens.
   *
   * @param options.special adds what the tokenizer puts around every text, such as a begin-of-text token. Defaults to false:
   * chat templates spell it out.
   */
  encode(text: string, { special = false }: { special?: boolean } = {}): number[] {
    return text === '' && !special ? [] : this.#encoder.encode(text, { add_special_tokens: special }).ids
  }

  /** One more than the highest id. */
  get size(): number {
    return this.#bytes.length
  }

  /** The id of a token by its spelling in the vocabulary, such as `<|im_end|>`. */
  tokenId(token: string): number | undefined {
    return this.#encoder.token_to_id(token)
  }

  /** The bytes of a token's text, which need not be whole characters; none for an id outside the vocabulary. */
  decodeToken(id: number): Uint8Array {
    return this.#bytes[id] ?? nothing
  }

  /** The text of whole tokens. */
  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    const decoder = this.streaming(options)
    let text = ''
    for (const id of ids) text += decoder.push(id)
    return text + decoder.flush()
  }

  streaming(options: DecodeOptions = {}): StreamingDecoder {
    return new StreamingDecoder(this, options)
  }

  /**
   * A conversation as the model was taught to read it.
   *
   * @throws ModelError if the folder has no chat template; Error from the template if it refuses the messages
   */
  renderChat(messages: readonly ChatMessage[], options: RenderOptions = {}): string {
    if (!this.#template)
      throw new ModelError('unsupported', 'this model has no chat template: send it text, or add chat_template.jinja')
    const { addGenerationPrompt = false, variables = {} } = options
    return this.#template.render({
      ...this.#templateTokens,
      ...variables,
      messages: [...messages],
      add_generation_prompt: addGenerationPrompt,
    })
  }
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
