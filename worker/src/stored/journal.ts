/** A run's events on their way from who makes them to whoever follows them: nothing is told that is not stored. */
import { isTerminal, leavable } from '@lookahead/sdk/protocol'
import type { Leavable, RunEvent } from '@lookahead/sdk/protocol'
import { EventLog } from './event-log.ts'
import type { Sql } from './event-log.ts'

/** Of a Durable Object's storage, what is asked of it here. */
export interface Storage {
  sql: Sql
  kv: { get(key: string): unknown; put(key: string, value: unknown): void }
  /** Resolves once all that was written is on disk. */
  sync(): Promise<void>
}

const ENDED_AT = 'endedAt'

/** Events that may wait while others are being stored; then whoever makes them waits. */
const MOST_WAITING = 256

export class Journal {
  readonly #storage: Storage
  readonly #log: EventLog
  /** Events that are on disk. */
  #length = 0
  /** Whether the terminal event is among them. */
  #isOver = false
  #news = Promise.withResolvers<void>()

  constructor(storage: Storage) {
    this.#storage = storage
    this.#log = new EventLog(storage.sql)
  }

  /** Begins a journal, or takes up the one that is there. */
  open(): void {
    this.#log.create()
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

  /** Stores events as they come, those that come while others are being stored in one batch. @throws as they do, and the storage */
  async write(events: AsyncIterable<RunEvent>): Promise<void> {
    const waiting: RunEvent[] = []
    let failure: { error: unknown } | undefined
    let storing: Promise<void> | undefined
    const store = async (): Promise<void> => {
      try {
        while (waiting.length > 0) await this.#append(waiting.splice(0))
      } catch (error) {
        failure = { error }
      }
      storing = undefined
    }
    for await (const event of events) {
      if (failure) break
      waiting.push(event)
      storing ??= store()
      if (waiting.length >= MOST_WAITING) await storing
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

  async #append(events: readonly RunEvent[]): Promise<void> {
    this.#log.append(events)
    if (events.some(isTerminal)) this.#storage.kv.put(ENDED_AT, Date.now())
    await this.#storage.sync()
    this.#length += events.length
    this.#isOver = this.endedAt !== undefined
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }
}
