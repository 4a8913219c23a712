/** How far a stored run is, in SQLite: what another object needs to go on with it, kept until the run is over. */
import type { Progress, SavedRun } from '../lookahead/index.ts'
import type { Storage } from './storage.ts'

/** Its name on disk, by which runs that other versions began are found too. */
const CHECKPOINT = 'standing'

export class CheckpointLog {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  create(): void {
    this.#storage.sql.exec('CREATE TABLE IF NOT EXISTS said (ids TEXT NOT NULL, text TEXT NOT NULL)')
  }

  append(made: readonly Progress[]): void {
    const { checkpoint = null } = made.at(-1)!
    this.#storage.kv.put(CHECKPOINT, checkpoint)
    const ids = made.flatMap(({ said }) => said.ids)
    const text = made.map(({ said }) => said.text).join('')
    if (ids.length > 0 || text !== '')
      this.#storage.sql.exec('INSERT INTO said VALUES (?, ?)', JSON.stringify(ids), text)
  }

  /** Undefined where nobody can go on. */
  read(): SavedRun | undefined {
    const checkpoint = this.#storage.kv.get(CHECKPOINT) as SavedRun['checkpoint'] | null | undefined
    if (!checkpoint) return undefined
    const rows = this.#storage.sql.exec('SELECT ids, text FROM said ORDER BY rowid').toArray()
    const ids = rows.flatMap((row) => JSON.parse(String(row.ids)) as number[])
    return { checkpoint, said: { ids, text: rows.map(({ text }) => String(text)).join('') } }
  }

  /** The run is over. */
  clear(): void {
    this.#storage.kv.put(CHECKPOINT, null)
    this.#storage.sql.exec('DELETE FROM said')
  }
}
