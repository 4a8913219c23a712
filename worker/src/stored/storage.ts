import type { Sql } from './event-log.ts'

/** Of a Durable Object's storage, what is asked of it here. */
export interface Storage {
  sql: Sql
  kv: { get(key: string): unknown; put(key: string, value: unknown): void }
  /** Resolves once all that was written is on disk. */
  sync(): Promise<void>
}
