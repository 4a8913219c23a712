import { Session } from '../onnxruntime/index.ts'
import type { SessionOptions } from '../onnxruntime/index.ts'

interface Entry {
  session: Promise<Session>
  users: number
}

/** By graph and options. */
const entries = new Map<string, Entry>()

/** A graph's session. Models that run it in the same way have one in common, and so its weights in memory once. */
export class SharedSession {
  readonly session: Session
  readonly #giveBack: () => void

  private constructor(session: Session, giveBack: () => void) {
    this.session = session
    this.#giveBack = giveBack
  }

  /** @param file the graph's. @throws as `Session.open` */
  static async open(file: string, options: SessionOptions): Promise<SharedSession> {
    const key = JSON.stringify([file, options])
    const entry = entries.get(key) ?? { session: Session.open(file, options), users: 0 }
    entries.set(key, entry)
    entry.users++
    try {
      const session = await entry.session
      return new SharedSession(session, () => {
        if (--entry.users > 0) return
        entries.delete(key)
        session.close()
      })
    } catch (error) {
      entries.delete(key)
      throw error
    }
  }

  /** Closes the session if no other model has it. To be called once. */
  [Symbol.dispose](): void {
    this.#giveBack()
  }
}
