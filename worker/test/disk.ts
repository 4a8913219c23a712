/** What workerd has on disk of the objects that keep runs: read and changed while it is down, so that a loss can be put anywhere. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import v8 from 'node:v8'

const objects = (persist: string) => path.join(persist, 'v3/do/lookahead-RunObject')

/** One run's. Values of `kv` are as V8 serializes them. */
export class Disk {
  readonly #persist: string
  readonly #file: string

  /** @param id the run's */
  constructor(persist: string, id: string) {
    this.#persist = persist
    const files = readdirSync(objects(persist)).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name))
    const own = files.find((name) => rows(path.join(objects(persist), name), OWN, id).length > 0)
    if (!own) throw new Error(`nothing is stored of the run ${id}`)
    this.#file = path.join(objects(persist), own)
  }

  /** Events, and how far the run is: nothing of them was stored. */
  dropEvents(): void {
    rows(this.#file, 'DELETE FROM batches')
    rows(this.#file, 'DELETE FROM said')
    rows(this.#file, "DELETE FROM _cf_KV WHERE key = 'standing'")
  }

  put(key: string, value: unknown): void {
    rows(this.#file, 'INSERT OR REPLACE INTO _cf_KV VALUES (?, ?)', key, v8.serialize(value))
  }

  /** The same value as another run has, byte for byte. */
  copy(key: string, of: Disk): void {
    const found = rows(of.#file, 'SELECT value FROM _cf_KV WHERE key = ?', key)
    rows(this.#file, 'INSERT OR REPLACE INTO _cf_KV VALUES (?, ?)', key, found[0]?.['value'] ?? null)
  }

  /** The object's alarm is due. */
  wake(): void {
    const { name: id } = path.parse(this.#file)
    const now = BigInt(Date.now()) * 1_000_000n
    const query = 'UPDATE _cf_ALARM SET scheduled_time = ? WHERE actor_id = ?'
    rows(path.join(objects(this.#persist), 'metadata.sqlite'), query, now, id)
    rows(this.#file, 'UPDATE _cf_METADATA SET value = ? WHERE key = 1', now)
  }
}

const OWN = 'SELECT 1 FROM __miniflare_do_name WHERE name = ?'

function rows(file: string, query: string, ...values: SQLInputValue[]): Record<string, SQLOutputValue>[] {
  const database = new DatabaseSync(file)
  try {
    return database.prepare(query).all(...values)
  } finally {
    database.close()
  }
}
