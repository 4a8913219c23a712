import { rowsGraph, topCount } from '../graph/index.ts'
import { DeviceMemory, IoBinding, Session, Tensor } from '../onnxruntime/index.ts'
import { DeviceRows, ShapedBuffer } from './buffer.ts'
import type { Row } from './row.ts'
import { orderTies, type Scores, type TopScores } from './scores.ts'

/** Where a forward's logits go, and what is read of them. */
export interface Outputs {
  /** @param wanted logit rows of all rows, 1 or more */
  bind(binding: IoBinding, rows: readonly Row[], wanted: number): void
  /** After the run: what was asked for, in the order of the rows and their logitRows, in fresh arrays. */
  read(rows: readonly Row[], wanted: number): Scores[] | Promise<Scores[]>
  /** To be called before the session is closed. */
  close(): void
  [Symbol.dispose](): void
}

/** Every row of logits comes whole. */
export class WholeLogits implements Outputs {
  readonly #vocabulary: number
  readonly #logits = ShapedBuffer.float32()

  constructor(vocabulary: number) {
    this.#vocabulary = vocabulary
  }

  bind(binding: IoBinding, _rows: readonly Row[], wanted: number): void {
    binding.bindOutput('logits', this.#logits.reserve(wanted, this.#vocabulary).tensor)
  }

  read(_rows: readonly Row[], wanted: number): Scores[] {
    const { data } = this.#logits.reserve(wanted, this.#vocabulary)
    return split(data.slice(0, wanted * this.#vocabulary), this.#vocabulary)
  }

  close(): void {
    this.#logits.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Logits stay on the device: the likeliest tokens of every row are fetched, and whole rows where those will not do. */
export class ReducedLogits implements Outputs {
  readonly #vocabulary: number
  readonly #count: number
  readonly #memory: DeviceMemory
  readonly #picker: Session
  readonly #logits: DeviceRows
  readonly #temperatures = ShapedBuffer.float32()
  readonly #topLogits = ShapedBuffer.float32()
  readonly #topTokens = ShapedBuffer.int32()
  readonly #weights = ShapedBuffer.float32()

  private constructor(memory: DeviceMemory, picker: Session, vocabulary: number) {
    this.#vocabulary = vocabulary
    this.#count = topCount(vocabulary)
    this.#picker = picker
    this.#memory = memory
    this.#logits = new DeviceRows(this.#memory, vocabulary)
  }

  /** @param session whose graph reduces its logits */
  static async open(session: Session, vocabulary: number): Promise<ReducedLogits> {
    using resources = new DisposableStack()
    const memory = resources.use(new DeviceMemory(session))
    const picker = await Session.open(rowsGraph(vocabulary).model, { device: session.device, threads: 1 })
    resources.move()
    return new ReducedLogits(memory, picker, vocabulary)
  }

  bind(binding: IoBinding, rows: readonly Row[], wanted: number): void {
    const temperatures = this.#temperatures.reserve(wanted, 1)
    let row = 0
    temperatures.data[0] = 1
    for (const { logitRows, reduced } of rows)
      temperatures.data.fill(reduced?.temperature ?? 1, row, (row += logitRows.length))
    binding.bindInput('temperatures', temperatures.tensor)
    binding.bindOutput('logits', this.#logits.reserve(wanted))
    binding.bindOutput('top_logits', this.#topLogits.reserve(wanted, this.#count).tensor)
    binding.bindOutput('top_tokens', this.#topTokens.reserve(wanted, this.#count).tensor)
    binding.bindOutput('weights', this.#weights.reserve(wanted, 1).tensor)
  }

  async read(rows: readonly Row[], wanted: number): Promise<Scores[]> {
    const tops = this.#tops(wanted)
    const scores: Scores[] = []
    const missing: number[] = []
    for (const { logitRows, reduced } of rows)
      for (const _ of logitRows) {
        const top = tops[scores.length]!
        if (!reduced?.suffices(top)) missing.push(scores.length)
        scores.push(top)
      }
    const whole = await this.#pick(missing, wanted)
    for (const [i, row] of missing.entries()) scores[row] = whole[i]!
    return scores
  }

  close(): void {
    for (const buffer of [this.#temperatures, this.#topLogits, this.#topTokens, this.#weights]) buffer.close()
    this.#logits.close()
    this.#memory.close()
    this.#picker.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #tops(wanted: number): TopScores[] {
    const logits = split(this.#topLogits.reserve(wanted, this.#count).data.slice(0, wanted * this.#count), this.#count)
    const tokens = split(this.#topTokens.reserve(wanted, this.#count).data.slice(0, wanted * this.#count), this.#count)
    const weights = this.#weights.reserve(wanted, 1).data
    return logits.map((own, i) => {
      orderTies(own, tokens[i]!)
      return { tokens: tokens[i]!, logits: own, weight: weights[i]!, vocabulary: this.#vocabulary }
    })
  }

  /** Whole rows of the last forward's logits. */
  async #pick(rows: readonly number[], wanted: number): Promise<Float32Array[]> {
    if (rows.length === 0) return []
    const picked = new Float32Array(rows.length * this.#vocabulary)
    using index = new Tensor('int32', Int32Array.from(rows), [rows.length])
    using output = new Tensor('float32', picked, [rows.length, this.#vocabulary])
    using binding = new IoBinding(this.#picker)
    binding.bindInput('logits', this.#logits.reserve(wanted))
    binding.bindInput('rows', index)
    binding.bindOutput('picked', output)
    await this.#picker.runAsync(binding)
    return split(picked, this.#vocabulary)
  }
}

function split<Data extends Float32Array | Int32Array>(data: Data, size: number): Data[]
function split(data: Float32Array | Int32Array, size: number): (Float32Array | Int32Array)[] {
  if (data.length === size) return [data]
  return Array.from({ length: data.length / size }, (_, i) => data.subarray(i * size, (i + 1) * size))
}
