/** How far a stored run is, in SQLite: what another object needs to go on with it, kept until the run is over. */
import type { Begun, Progress } from '../lookahead/index.ts'
import type { Storage } from './journal.ts'

const STANDING = 'standing'

export class BegunLog {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  create(): void {
    this.#storage.sql.exec('CREATE TABLE IF NOT EXISTS said (ids TEXT NOT NULL, text TEXT NOT NULL)')
  }

  append(made: readonly Progress[]): void {
    const { standing = null } = made.at(-1)!
    this.#storage.kv.put(STANDING, standing)
    const ids = made.flatMap(({ said }) => said.ids)
    const text = made.map(({ said }) => said.text).join('')
    if (ids.length > 0 || text !== '')
      this.#storage.sql.exec('INSERT INTO said VALUES (?, ?)', JSON.stringify(ids), text)
  }

  /** Undefined where nobody can go on. */
  read(): Begun | undefined {
    const standing = this.#storage.kv.get(STANDING) as Begun['standing'] | null | undefined
    if (!standing) return undefined
    const rows = this.#storage.sql.exec('SELECT ids, text FROM said ORDER BY rowid').toArray()
    const ids = rows.flatMap((row) => JSON.parse(String(row.ids)) as number[])
    return { standing, said: { ids, text: rows.map(({ text }) => String(text)).join('') } }
  }

  /** The run is over. */
  clear(): void {
    this.#storage.kv.put(STANDING, null)
    this.#storage.sql.exec('DELETE FROM said')
  }
}
