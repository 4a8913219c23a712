import { ModelError, readEncoderConfig, readSentenceModules } from '../checkpoint/index.ts'
import type { EncoderConfig, Pooling } from '../checkpoint/index.ts'
import {
  assertEncoderBuildable,
  encoderGraph,
  parametersOf,
  precisionOf,
  storedEncoderGraph,
  type PrecisionOptions,
} from '../graph/index.ts'
import { IoBinding, OnnxRuntimeError, Tensor } from '../onnxruntime/index.ts'
import { WordPieceTokenizer } from '../tokenizer/index.ts'
import { giveTurn, isSmall, needsTurn, singleThreadParameters } from './pace.ts'
import { sentenceInputs } from './sentence-inputs.ts'
import { SharedSession } from './shared-session.ts'

export interface SentenceEncoderOptions extends PrecisionOptions {
  /** Threads within one operator. Default: those that all sessions share, one per core. Encoders of up to 4 M parameters have one in any case. */
  threads?: number | undefined
  /** Where built graphs are kept. Defaults to `$LOOKAHEAD_CACHE`, else `~/.cache/lookahead`. */
  cacheDir?: string | undefined
  /** Stops loading. */
  signal?: AbortSignal | undefined
}

/** All that a checkpoint says but its weights. */
interface Checkpoint {
  /** Folder of the encoder's own files. */
  folder: string
  config: EncoderConfig
  tokenizer: WordPieceTokenizer
  pooling: Pooling
  mostTokens: number
}

/**
 * Whether a folder's encoder can be loaded; looked up before any model is.
 * @throws ModelError if a file is missing or broken, or asks for what is not supported
 */
export async function assertSentenceEncoder(folder: string): Promise<void> {
  const checkpoint = await readCheckpoint(folder)
  await assertEncoderBuildable(checkpoint.folder, checkpoint.config)
}

/** A sentence-transformers model: texts to vectors whose cosines say how alike the texts' meanings are. */
export class SentenceEncoder {
  /** Elements of an embedding. */
  readonly width: number
  /** Tokens that are read of a text, with those put around it. */
  readonly mostTokens: number
  readonly #checkpoint: Checkpoint
  readonly #parameters: number
  readonly #session: SharedSession
  /** Settles when the last forward asked for has ended, well or not. */
  #last: Promise<unknown> = Promise.resolve()
  #open = true

  private constructor(checkpoint: Checkpoint, parameters: number, session: SharedSession) {
    this.width = checkpoint.config.hiddenSize
    this.mostTokens = checkpoint.mostTokens
    this.#checkpoint = checkpoint
    this.#parameters = parameters
    this.#session = session
  }

  /**
   * Loads a checkpoint as sentence-transformers saves it (https://sbert.net): modules.json, 1_Pooling/config.json and
   * sentence_bert_config.json beside config.json, model.safetensors and tokenizer.json, of a BERT (also MiniLM) or an MPNet.
   * Without modules.json the mean of all tokens is taken.
   *
   * @throws ModelError as `assertSentenceEncoder`; the signal's reason if it was aborted
   */
  static async load(folder: string, options: SentenceEncoderOptions = {}): Promise<SentenceEncoder> {
    const { device, cacheDir, signal } = options
    const checkpoint = await readCheckpoint(folder)
    const { config } = checkpoint
    const precision = precisionOf(config, options)
    const file = await storedEncoderGraph(checkpoint.folder, config, { ...precision, cacheDir, signal })
    const parameters = parametersOf(encoderGraph(config))
    const threads = parameters <= singleThreadParameters ? 1 : options.threads
    const session = await SharedSession.open(file, { device, threads }).catch((cause: unknown) => {
      if (!(cause instanceof OnnxRuntimeError)) throw cause
      throw new ModelError('invalid', `${file} cannot be loaded (${cause.message}): try --weights fp32`, { cause })
    })
    if (signal?.aborted) session[Symbol.dispose]()
    signal?.throwIfAborted()
    return new SentenceEncoder(checkpoint, parameters, session)
  }

  /**
   * The embeddings of all texts, by one forward: each of `width` elements and of length 1, in a fresh array. Of a text with more
   * than `mostTokens` the rest is not read. Forwards run one after another, in the order of the calls.
   *
   * @throws OnnxRuntimeError; ModelError `closed`; the signal's reason, if it is aborted before the forward begins
   */
  embed(texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> {
    const result = this.#last.then(() => this.#forward(texts, signal))
    this.#last = result.catch(() => undefined)
    return result
  }

  async #forward(texts: readonly string[], signal: AbortSignal | undefined): Promise<Float32Array[]> {
    if (!this.#open) throw new ModelError('closed', 'the encoder is closed: load it again')
    signal?.throwIfAborted()
    if (texts.length === 0) return []
    const { config, tokenizer, pooling, mostTokens } = this.#checkpoint
    const tokens = texts.map((text) => tokenizer.encode(text, mostTokens))
    const output = new Float32Array(texts.length * this.width)
    const { session } = this.#session
    using resources = new DisposableStack()
    const embeddings = resources.use(new Tensor('float32', output, [texts.length, this.width]))
    const inputs = sentenceInputs(config.modelType, pooling, tokens)
    for (const input of Object.values(inputs)) resources.use(input)
    const binding = resources.use(new IoBinding(session))
    for (const [name, input] of Object.entries(inputs)) binding.bindInput(name, input)
    binding.bindOutput('embeddings', embeddings)
    const small = isSmall(this.#parameters, tokens.flat().length)
    if (small && needsTurn()) await giveTurn()
    if (small) session.run(binding)
    else await session.runAsync(binding)
    return texts.map((_, i) => normalised(output.slice(i * this.width, (i + 1) * this.width)))
  }

  /** Releases the encoder once the forwards already asked for have ended; later ones are refused. Safe to call twice. */
  close(): void {
    this.#last = this.#last.then(() => this.#release())
  }

  #release(): void {
    if (this.#open) this.#session[Symbol.dispose]()
    this.#open = false
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

async function readCheckpoint(root: string): Promise<Checkpoint> {
  const { transformer: folder, pooling, mostTokens = Infinity, lowercase } = await readSentenceModules(root)
  const config = await readEncoderConfig(folder)
  const tokenizer = await WordPieceTokenizer.load(folder, { lowercase })
  if (tokenizer.size > config.vocabSize)
    throw new ModelError(
      'invalid',
      `${folder}: the tokenizer has ${tokenizer.size} tokens, the model ${config.vocabSize}: take both from one checkpoint`,
    )
  // A text of no tokens has no mean.
  if (tokenizer.encode('', Infinity).length === 0)
    throw new ModelError('unsupported', `${folder}: its tokenizer puts nothing around a text, such as [CLS] and [SEP]`)
  return { folder, config, tokenizer, pooling, mostTokens: Math.min(mostTokens, config.mostTokens) }
}

/** A vector of nothing stays one. */
function normalised(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return length > 0 ? vector.map((value) => value / length) : vector
}
