/** A run's events on their way from who makes them to whoever follows them: nothing is told that is not stored. */
import { isTerminal, leavable } from '@lookahead/sdk/protocol'
import type { Leavable, RunEvent } from '@lookahead/sdk/protocol'
import type { Progress, SavedRun } from '../lookahead/index.ts'
import { CheckpointLog } from './checkpoint-log.ts'
import { EventLog } from './event-log.ts'
import type { Storage } from './storage.ts'

const ENDED_AT = 'endedAt'

/** What is on disk together, or not at all. */
interface Batch {
  events: RunEvent[]
  progress: Progress[]
}

/** Events that may wait while others are being stored; then whoever makes them waits. */
const MOST_WAITING = 256

export class Journal {
  readonly #storage: Storage
  readonly #log: EventLog
  readonly #begun: CheckpointLog
  /** Events that are on disk. */
  #length = 0
  /** Whether the terminal event is among them. */
  #isOver = false
  #news = Promise.withResolvers<void>()

  constructor(storage: Storage) {
    this.#storage = storage
    this.#log = new EventLog(storage.sql)
    this.#begun = new CheckpointLog(storage)
  }

  /** Begins a journal, or takes up the one that is there. */
  open(): void {
    this.#log.create()
    this.#begun.create()
    this.#length = this.#log.length
    this.#isOver = this.endedAt !== undefined
  }

  get length(): number {
    return this.#length
  }

  /** Whether the last of them is terminal. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Milliseconds since 1970; undefined: the terminal event is not there yet. */
  get endedAt(): number | undefined {
    return this.#storage.kv.get(ENDED_AT) as number | undefined
  }

  /** How far a run is that is not over; undefined where nobody can go on with it. */
  get begun(): SavedRun | undefined {
    return this.#begun.read()
  }

  /**
   * Stores events as they come, those that come while others are being stored in one batch, each with the progress that covers it.
   * @throws as they do, and the storage
   */
  async write(events: AsyncIterable<RunEvent | Progress>): Promise<void> {
    const uncovered: RunEvent[] = []
    const waiting: Batch = { events: [], progress: [] }
    let failure: { error: unknown } | undefined
    let storing: Promise<void> | undefined
    const store = async (): Promise<void> => {
      try {
        while (waiting.events.length + waiting.progress.length > 0)
          await this.#append({ events: waiting.events.splice(0), progress: waiting.progress.splice(0) })
      } catch (error) {
        failure = { error }
      }
      storing = undefined
    }
    for await (const event of events) {
      if (failure) break
      if (event.type === 'progress') waiting.progress.push(event)
      else uncovered.push(event)
      if (event.type !== 'progress' && !isTerminal(event)) continue
      waiting.events.push(...uncovered.splice(0))
      storing ??= store()
      if (waiting.events.length + waiting.progress.length >= MOST_WAITING) await storing
    }
    await storing
    if (failure) throw failure.error
  }

  /**
   * Events from number `from` on, up to the terminal one, read only as fast as they are asked for. Leaving it leaves the run alone.
   * @param now ends with what is stored by now
   */
  follow(from: number, now = false): Leavable<RunEvent> {
    const left = Promise.withResolvers<'left'>()
    if (now) left.resolve('left')
    return leavable(this.#events(from, left.promise), () => left.resolve('left'))
  }

  /** Those that are stored. */
  *stored(): Generator<RunEvent, void, undefined> {
    for (let from = 0; from < this.#length;) {
      const batch = this.#log.read(from)
      yield* batch
      from += batch.length
    }
  }

  async *#events(from: number, left: Promise<'left'>): AsyncGenerator<RunEvent, void, undefined> {
    for (;;) {
      const batch = from < this.#length ? this.#log.read(from) : []
      yield* batch
      from += batch.length
      if (batch.length > 0) continue
      if (this.#isOver || (await Promise.race([this.#news.promise, left])) === 'left') return
    }
  }

  async #append({ events, progress }: Batch): Promise<void> {
    if (events.length > 0) this.#log.append(events)
    if (progress.length > 0) this.#begun.append(progress)
    if (events.some(isTerminal)) {
      this.#storage.kv.put(ENDED_AT, Date.now())
      this.#begun.clear()
    }
    await this.#storage.sync()
    this.#length += events.length
    this.#isOver = this.endedAt !== undefined
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }
}
