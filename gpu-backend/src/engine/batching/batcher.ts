import type { Model, Row, Scores } from '../../model/index.ts'
import { attentionArea, countForward, schedule } from './scheduler.ts'
import type { Chunk, Starvation, Waiting } from './scheduler.ts'
import type { Meter } from './meter.ts'
import { MeasuredForwards } from '../speculation/costs.ts'

/** Rows that were handed in together, and whom to tell. */
interface Call {
  scores: Scores[][]
  /** Rows still to be run. */
  open: number
  signal: AbortSignal | undefined
  meter: Meter | undefined
  resolve: (scores: Scores[][]) => void
  reject: (reason: unknown) => void
}

/** One row of a call on its way through one forward or several. */
interface Job extends Waiting {
  call: Call
  index: number
  row: Row
  /** Tokens of the row that have been run. */
  done: number
}

export interface RunOptions {
  /** For a text that is being written: it goes before prompts. Default false. */
  urgent?: boolean
  /** Rows of which nothing is under way are dropped once it is aborted. */
  signal?: AbortSignal | undefined
  /** Is told what the rows took. */
  meter?: Meter | undefined
}

/** So many forwards that failed in a row mean that the device is lost, not that one request was bad. */
const TELLING_FAILURES = 3

/** Totals since the start. */
export interface ForwardCounts {
  forwards: number
  /** New tokens of all forwards. */
  newTokens: number
  /** Pairs of a new token and a key that it attends to. */
  usefulArea: number
  /** The same with padding: as if every row of a forward were as long and as wide as its largest. */
  paddedArea: number
  /** Rows of logits that were handed out whole. */
  wholeLogits: number
}

/**
 * Continuous batching: packs what all requests of one model have to run into common forwards, as they come and go.
 * A forward starts once every request at work has handed in its rows, or else at the event loop's next turn. So a request
 * alone never waits, and nobody waits for a request that is busy elsewhere, except for one that is guessing tokens (`expect`).
 */
export class Batcher {
  readonly counts: ForwardCounts = { forwards: 0, newTokens: 0, usefulArea: 0, paddedArea: 0, wholeLogits: 0 }
  /** What forwards of texts that are being written take, lately. */
  readonly measured = new MeasuredForwards()
  readonly #model: Model
  /** New tokens that a forward may have; longer rows are run in chunks. */
  readonly budget: number
  #jobs: Job[] = []
  readonly #starved: Starvation = { texts: 0, prompts: 0 }
  /** Requests at work. */
  #requests = 0
  /** Calls of `run` that are not answered yet. */
  #calls = 0
  /** Requests whose rows are being prepared. */
  #coming = 0
  /** Whether others are at work beside these forwards. */
  #isBeside = (): boolean => false
  #busy = false
  /** Forwards in a row that failed. */
  #failures = 0
  /** The turn at which the next forward starts, whoever has not come by then. */
  #turn: NodeJS.Immediate | undefined

  constructor(model: Model, budget: number) {
    this.#model = model
    this.budget = budget
  }

  /** Requests at work. */
  get running(): number {
    return this.#requests
  }

  /** Whether the last forwards all failed: a device that is lost does not come back. */
  get failing(): boolean {
    return this.#failures >= TELLING_FAILURES
  }

  /** Prompts that wait, wholly or in part. */
  get waiting(): number {
    return this.#jobs.filter((job) => !job.urgent).length
  }

  /** Forwards leave a core to others while this says that they are at work. */
  leaveCoreWhile(othersWork: () => boolean): void {
    this.#isBeside = othersWork
  }

  /** A request begins to work with the model. @returns what to call when it has ended; further calls do nothing */
  enter(): () => void {
    this.#requests++
    let entered = true
    return () => {
      if (!entered) return
      entered = false
      this.#requests--
      this.#wake()
    }
  }

  /**
   * Holds forwards back while a request prepares its next rows. It must not wait for what one of these forwards would bring:
   * neither would ever come.
   * @returns what to call when it has its rows
   */
  expect(): () => void {
    this.#coming++
    this.#cancelTurn()
    return () => {
      this.#coming--
      this.#wake()
    }
  }

  /**
   * Runs the rows, each in one forward or several. Rows of one call may not see each other's new tokens.
   * @returns for each row the logits it wants, whole or as far as it asks for: one entry a logit row
   * @throws {OnnxRuntimeError} when a forward fails that has one of the rows; RangeError if one of them contradicts itself;
   * the signal's reason (all by rejection)
   */
  run(rows: readonly Row[], { urgent = false, signal, meter }: RunOptions = {}): Promise<Scores[][]> {
    if (rows.length === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      for (const row of rows) this.#model.check(row)
      const call: Call = { scores: rows.map(() => []), open: rows.length, signal, meter, resolve, reject }
      for (const [index, row] of rows.entries()) {
        const size = { newTokens: row.tokens.length, keys: row.keySlots.length }
        this.#jobs.push({ call, index, row, done: 0, ...size, urgent, passed: 0 })
      }
      this.#calls++
      this.#wake()
    })
  }

  #wake(): void {
    if (this.#busy || this.#jobs.length === 0 || this.#coming > 0) return
    if (this.#calls < this.#requests) {
      this.#turn ??= setImmediate(() => void this.#forward())
      return
    }
    void this.#forward()
  }

  #cancelTurn(): void {
    clearImmediate(this.#turn)
    this.#turn = undefined
  }

  async #forward(): Promise<void> {
    this.#cancelTurn()
    for (const { call } of this.#jobs) if (call.signal?.aborted) this.#fail(call, call.signal.reason)
    const chunks = schedule(this.#jobs, this.budget, this.#starved)
    if (chunks.length === 0) return
    countForward(this.#jobs, chunks, this.budget, this.#starved)
    this.#busy = true
    try {
      const rows = chunks.map(({ item, tokens }) => cut(item.row, item.done, tokens))
      const started = performance.now()
      const scores = await this.#model.forward(rows, { beside: this.#isBeside() })
      this.#failures = 0
      this.#count(chunks, scores, performance.now() - started)
      this.#settle(chunks, rows, scores)
    } catch (error) {
      this.#failures++
      for (const { item } of chunks) this.#fail(item.call, error)
    }
    this.#busy = false
    this.#wake()
  }

  #count(chunks: readonly Chunk<Job>[], scores: readonly Scores[], ms: number): void {
    const { useful, padded } = attentionArea(chunks)
    this.counts.forwards++
    this.counts.usefulArea += useful
    this.counts.paddedArea += padded
    for (const row of scores) if (row instanceof Float32Array) this.counts.wholeLogits++
    const newTokens = chunks.reduce((sum, { tokens }) => sum + tokens, 0)
    this.counts.newTokens += newTokens
    for (const { item, tokens } of chunks) item.call.meter?.add((ms * tokens) / newTokens, this.#requests)
    if (chunks.every(({ item }) => item.urgent)) this.measured.took(chunks.length, newTokens, ms)
  }

  #settle(chunks: readonly Chunk<Job>[], rows: readonly Row[], scores: readonly Scores[]): void {
    let start = 0
    for (const [i, { item, tokens }] of chunks.entries()) {
      const { call, index } = item
      const end = start + rows[i]!.logitRows.length
      call.scores[index]!.push(...scores.slice(start, end))
      start = end
      item.done += tokens
      item.newTokens -= tokens
      if (item.newTokens > 0 || --call.open > 0) continue
      this.#calls--
      call.resolve(call.scores)
    }
    this.#jobs = this.#jobs.filter((job) => job.newTokens > 0)
  }

  #fail(call: Call, reason: unknown): void {
    if (call.open === 0) return
    call.open = 0
    this.#calls--
    this.#jobs = this.#jobs.filter((job) => job.call !== call)
    call.reject(reason)
  }
}

/** The part of a row that runs `count` of its tokens, once those before have been run. */
function cut(row: Row, from: number, count: number): Row {
  const to = from + count
  if (count === row.tokens.length) return row
  const sees = row.sees.slice(from, to)
  return {
    ...row,
    tokens: row.tokens.slice(from, to),
    positions: row.positions.slice(from, to),
    writeSlots: row.writeSlots.slice(from, to),
    keySlots: row.keySlots.slice(0, Math.max(...sees.flat().map(([, end]) => end))),
    sees,
    logitRows: row.logitRows.filter((i) => i >= from && i < to).map((i) => i - from),
  }
}
