/** The events of one run in SQLite. A row holds a batch: what came while the one before was being stored. */
import type { RunEvent } from '@lookahead/sdk/protocol'

/** Of SQLite's `SqlStorage`, what is asked of it here. */
export interface Sql {
  exec(query: string, ...values: (string | number)[]): { toArray(): Record<string, unknown>[] }
}

export class EventLog {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
  }

  create(): void {
    this.#sql.exec(
      'CREATE TABLE IF NOT EXISTS batches (first INTEGER PRIMARY KEY, next INTEGER NOT NULL, events TEXT NOT NULL)',
    )
  }

  /** Events there are: the number of the next one. */
  get length(): number {
    const [last] = this.#sql.exec('SELECT next FROM batches ORDER BY first DESC LIMIT 1').toArray()
    return last ? Number(last.next) : 0
  }

  append(events: readonly RunEvent[]): void {
    const first = this.length
    this.#sql.exec('INSERT INTO batches VALUES (?, ?, ?)', first, first + events.length, JSON.stringify(events))
  }

  /** Events from number `from` on, one batch at most. */
  read(from: number): RunEvent[] {
    const query = 'SELECT first, events FROM batches WHERE next > ? ORDER BY first LIMIT 1'
    const [batch] = this.#sql.exec(query, from).toArray()
    if (!batch) return []
    return (JSON.parse(String(batch.events)) as RunEvent[]).slice(from - Number(batch.first))
  }
}
