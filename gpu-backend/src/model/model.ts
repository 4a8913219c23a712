import {
  ModelError,
  readDecoderConfig,
  readGenerationConfig,
  type DecoderConfig,
  type GenerationConfig,
} from '../checkpoint/index.ts'
import {
  countParameters,
  isReduced,
  precisionOf,
  storedGraph,
  type ActivationType,
  type Precision,
  type WeightType,
} from '../graph/index.ts'
import { elementBytes, OnnxRuntimeError } from '../onnxruntime/index.ts'
import type { Device, IoBinding, Session, SessionOptions } from '../onnxruntime/index.ts'
import { Tokenizer } from '../tokenizer/index.ts'
import { ReducedLogits, WholeLogits, type Outputs } from './outputs.ts'
import { giveTurn, isSmall, leavesCore, needsTurn, singleThreadParameters } from './pace.ts'
import { Packing } from './packing.ts'
import { PoolBindings } from './pool-bindings.ts'
import { KeyValuePool } from './pool.ts'
import { keyRegion, slotsEnd } from './region.ts'
import { assertRow, type Limits, type Row } from './row.ts'
import type { Scores } from './scores.ts'
import { SharedSession } from './shared-session.ts'

export interface ModelOptions {
  /** Token slots in the pool: the most tokens that all requests together can hold. */
  slots: number
  /** Where forwards run and the pool lies. Defaults to the CPU. */
  device?: Device | undefined
  /** Threads within one operator. Default: those that all sessions share, one per core. Models of up to 4 M parameters have one in any case. */
  threads?: number | undefined
  /**
   * How the linear layers' weights are kept, and multiplied: int8 and int4 also round activations to 8 bits. Smaller is
   * faster where reading the weights takes the time, and gives slightly other logits. Defaults to fp32 on the CPU, to the
   * checkpoint's own half precision (bf16 or fp16) on CUDA.
   */
  weights?: WeightType | undefined
  /**
   * The element type of activations and pool. Defaults to float32 on the CPU; on CUDA to the weights' own, and to float16
   * for int8 and int4.
   */
  activations?: ActivationType | undefined
  /**
   * Whether logits stay on the device, and only the likeliest tokens of a row are fetched where its request can do with them.
   * Defaults to what pays: vocabularies of 4,096 tokens or more.
   */
  reducedLogits?: boolean | undefined
  /**
   * Whether some forwards run beside other work: then a small model on two cores takes a second session of one thread, and so
   * its weights in memory twice. Default: false.
   */
  beside?: boolean | undefined
  /** Where built graphs are kept. Defaults to `$LOOKAHEAD_CACHE`, else `~/.cache/lookahead`. */
  cacheDir?: string | undefined
  /** ONNX Runtime writes a profile of all forwards, when the model is closed, to a file that begins with this prefix. */
  profile?: string | undefined
  /** Stops loading. */
  signal?: AbortSignal | undefined
}

/** Casts of constants, of whatever size, happen as the model loads: by default, not those of more than 1 GiB. */
const foldAllConstants = { 'optimization.constant_folding_max_output_size_in_bytes': '0' }

/** Bytes of one token's keys and values in all layers. */
export const slotBytes = ({ layers, kvHeads, headDim }: DecoderConfig, activations: ActivationType): number =>
  layers * 2 * kvHeads * headDim * elementBytes[activations]

/** A session of the model's graph, and the pool as its inputs and outputs. */
interface Lane {
  session: Session
  bindings: PoolBindings
}

/** What a model is made of. */
interface Parts extends Pick<Model, 'config' | 'generation' | 'tokenizer' | 'slots' | 'parameters' | 'precision'> {
  lane: Lane
  beside: Lane | undefined
  outputs: Outputs
  pool: KeyValuePool
}

export interface ForwardOptions {
  /** Others are at work meanwhile: where that is possible, this forward leaves them a core. Default: false. */
  beside?: boolean
}

/** A decoder with its pool of token slots, run by packed forwards. */
export class Model {
  readonly config: DecoderConfig
  readonly generation: GenerationConfig
  readonly tokenizer: Tokenizer
  readonly slots: number
  readonly precision: Precision
  /** Weights in the checkpoint, shared ones counted once. */
  readonly parameters: number
  readonly #limits: Limits
  readonly #lane: Lane
  /** Of one thread. */
  readonly #beside: Lane | undefined
  #lastBinding: IoBinding | undefined
  readonly #pool: KeyValuePool
  readonly #packing: Packing
  readonly #outputs: Outputs
  /** Settles when the last forward asked for has ended, well or not. */
  #last: Promise<unknown> = Promise.resolve()
  #open = true
  /** Sessions, outputs, pool and its bindings. */
  #resources = new DisposableStack()

  private constructor({ config, generation, tokenizer, slots, parameters, precision, ...parts }: Parts) {
    const { lane, beside, outputs, pool } = parts
    this.config = config
    this.generation = generation
    this.tokenizer = tokenizer
    this.slots = slots
    this.parameters = parameters
    this.precision = precision
    this.#limits = { vocabulary: config.vocabSize, positions: config.maxPositions, slots }
    this.#lane = lane
    this.#beside = beside
    this.#outputs = outputs
    this.#packing = new Packing(config.heads / config.kvHeads)
    this.#pool = pool
  }

  /**
   * Loads a Hugging Face checkpoint: config.json, *.safetensors, tokenizer.json, tokenizer_config.json, and
   * generation_config.json if any.
   *
   * @throws ModelError if the folder is missing, broken or of an unsupported kind; the signal's reason if it was aborted
   */
  static async load(folder: string, options: ModelOptions): Promise<Model> {
    const { slots, device, reducedLogits, cacheDir, profile, signal } = options
    if (!Number.isInteger(slots) || slots < 1)
      throw new RangeError(`slots must be a whole number above 0, not ${slots}`)
    const config = await readDecoderConfig(folder)
    const tokenizer = await Tokenizer.load(folder)
    const generation = await readGenerationConfig(folder, tokenizer.endOfText)
    if (tokenizer.size > config.vocabSize)
      throw new ModelError(
        'invalid',
        `${folder}: the tokenizer has ${tokenizer.size} tokens, the model ${config.vocabSize}: take both from one checkpoint`,
      )
    const { vocabSize } = config
    const precision = precisionOf(config, options)
    const reduced = reducedLogits ?? isReduced(vocabSize)
    const file = await storedGraph(folder, config, { ...precision, reduced, cacheDir, signal })
    const parameters = countParameters(config)
    const threads = parameters <= singleThreadParameters ? 1 : options.threads
    using resources = new DisposableStack()
    const open = async (own: SessionOptions): Promise<Session> => {
      const opening = SharedSession.open(file, { device, config: foldAllConstants, ...own })
      const shared = await opening.catch((cause: unknown) => {
        if (!(cause instanceof OnnxRuntimeError)) throw cause
        throw new ModelError('invalid', `${file} cannot be loaded: ${advice(cause, precision, device)}`, { cause })
      })
      return resources.use(shared).session
    }
    const leaves = options.beside === true && leavesCore({ device, threads, parameters })
    const opening = [open({ threads, profile }), ...(leaves && threads !== 1 ? [open({ threads: 1 })] : [])]
    // None may still be opening when another's failure counts.
    await Promise.allSettled(opening)
    const [session, second] = (await Promise.all(opening)) as [Session, Session?]
    try {
      signal?.throwIfAborted()
      const outputs = reduced ? await ReducedLogits.open(session, vocabSize) : new WholeLogits(vocabSize)
      resources.use(outputs)
      const { layers, kvHeads, headDim } = config
      const shape = { layers, slots, width: kvHeads * headDim, type: precision.activations }
      const pool = resources.use(await KeyValuePool.open(session, shape))
      const bound = (to: Session): Lane => ({ session: to, bindings: resources.use(new PoolBindings(to, pool)) })
      const lane = bound(session)
      const beside = second ? bound(second) : leaves ? lane : undefined
      const parts = { lane, beside, outputs, pool }
      const model = new Model({ config, generation, tokenizer, slots, parameters, precision, ...parts })
      model.#resources = resources.move()
      return model
    } catch (error) {
      if (!(error instanceof OnnxRuntimeError && error.outOfMemory)) throw error
      const reason = `there is no memory for ${slots} token slots of ${folder}: give a smaller --memory`
      throw new ModelError('invalid', reason, { cause: error })
    }
  }

  /**
   * One packed forward of all rows: writes the new tokens' keys and values to their slots, and returns the logits of the
   * wanted tokens, in the order of the rows and of their logitRows: whole, or as far as the row asks for. [R], fresh arrays.
   *
   * Forwards run one after another, in the order of the calls; leave the rows unchanged until theirs has ended. One that
   * fails leaves the model usable; its write slots then hold nothing of use.
   *
   * @throws RangeError if a row contradicts itself; OnnxRuntimeError; ModelError `closed` (all by rejection)
   */
  forward(rows: readonly Row[], { beside = false }: ForwardOptions = {}): Promise<Scores[]> {
    const result = this.#last.then(() => this.#forward(rows, beside))
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Whether forwards can leave a core to others. */
  get leavesCore(): boolean {
    return this.#beside !== undefined
  }

  /** For those who pack rows of several texts: one that no forward would take. @throws RangeError as `forward` */
  check(row: Row): void {
    assertRow(row, this.#limits)
  }

  async #forward(rows: readonly Row[], isBeside: boolean): Promise<Scores[]> {
    if (!this.#open) throw new ModelError('closed', 'the model is closed: load it again')
    let newTokens = 0
    let wanted = 0
    for (const row of rows) {
      this.check(row)
      newTokens += row.tokens.length
      wanted += row.logitRows.length
    }
    if (newTokens === 0) return []
    const beside = isBeside ? this.#beside : undefined
    const { session, bindings } = beside ?? this.#lane
    const small = !beside && isSmall(this.parameters, newTokens)
    if (small && needsTurn()) await giveTurn()
    // Of no rows CUDA can find no likeliest tokens: then some token's logits are computed for nothing.
    const logitRows = Math.max(wanted, 1)
    const region = keyRegion(rows, this.slots)
    const binding = bindings.binding(region, slotsEnd(rows, region))
    this.#packing.bind(binding, rows, newTokens, logitRows, region)
    this.#outputs.bind(binding, rows, logitRows)
    this.#lastBinding = binding
    if (small) session.run(binding)
    else await session.runAsync(binding)
    return wanted === 0 ? [] : this.#outputs.read(rows, wanted)
  }

  /** Bytes that the last forward was given and gave back through the host's memory: what a device is sent, and sends. */
  get hostBytes(): { inputs: number; outputs: number } {
    return this.#lastBinding?.hostBytes ?? { inputs: 0, outputs: 0 }
  }

  /** Where the pool lies: ONNX Runtime's names of the memories. */
  get poolMemory(): string[] {
    return this.#pool.memories
  }

  /** Releases the model once the forwards already asked for have ended; later ones are refused. Safe to call twice. */
  close(): void {
    this.#last = this.#last.then(() => this.#release())
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #release(): void {
    if (!this.#open) return
    this.#open = false
    this.#packing.close()
    this.#resources.dispose()
  }
}

/** What to do about a graph that ONNX Runtime does not load. */
function advice(refusal: OnnxRuntimeError, { weights, activations }: Precision, device: Device = 'cpu'): string {
  const where = device === 'cuda' ? 'CUDA' : 'the CPU'
  if (refusal.outOfMemory)
    return `its weights do not fit into the memory of ${where}: try --weights int8 or int4, or a smaller --memory`
  if (weights === 'fp32' || (device === 'cpu' && activations === 'float32')) return 'delete its folder and try again'
  return `${where} refuses it (${refusal.message}); try --weights fp32`
}
