import { decide } from './admission.ts'
import type { Room, Text } from './admission.ts'

/** A text that shares a pool's slots. */
export interface Sharer extends Text {
  /** May change: who does not use its slots counts as younger. */
  readonly arrival: number
  /** A forward works with its slots: they cannot be given back now. */
  readonly busy: boolean
  /** Takes what it needs. */
  take(): void
  /** Gives all its slots back, and will need them again when it goes on. */
  preempt(): void
}

/** Time alone changes things too: a text becomes idle. */
const LATER_MS = 500

/** There are no slots for a text that does not wait. */
export class NoRoom extends Error {}

/** The texts that share one pool, and those of them that wait for slots. */
export class SlotQueue {
  /** Texts that had to give their slots back before their end. */
  preemptions = 0
  readonly #room: Room
  readonly #texts = new Set<Sharer>()
  readonly #waiting = new Map<Sharer, { granted: () => void; failed: (error: unknown) => void }>()
  #later: NodeJS.Timeout | undefined

  constructor(room: Room) {
    this.#room = room
  }

  /** Texts that wait for slots. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Resolves when the text has taken what it needs.
   * @throws the signal's reason, at once when it is aborted, and what a text threw that was to take slots or to give its own
   * back: it must leave
   */
  wait(text: Sharer, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const abort = (): void => {
        this.#texts.delete(text)
        this.#waiting.delete(text)
        reject(signal!.reason as Error)
      }
      this.#texts.add(text)
      const done = (): void => signal?.removeEventListener('abort', abort)
      this.#waiting.set(text, {
        granted: () => (done(), resolve()),
        failed: (error) => (done(), reject(error)),
      })
      this.settle()
      if (this.#waiting.has(text)) signal?.addEventListener('abort', abort)
    })
  }

  /** For a text that can do without. @throws {NoRoom} when there is none for it, or others wait: it must leave */
  takeNow(text: Sharer): void {
    this.#texts.add(text)
    const decision = decide([...this.#waiting.keys(), text], this.#texts, this.#room)
    if (decision && 'grant' in decision && decision.grant === text) return text.take()
    this.#texts.delete(text)
    throw new NoRoom('all token slots are in use')
  }

  /** To be called when a text has ended. */
  leave(text: Sharer): void {
    this.#texts.delete(text)
    this.settle()
  }

  /** To be called when slots have come back, or a text is no longer busy. */
  settle(): void {
    clearTimeout(this.#later)
    try {
      this.#settle()
    } catch (error) {
      // Nobody may wait for ever, nor a timer end the process, whatever is wrong.
      const waiting = [...this.#waiting.values()]
      this.#waiting.clear()
      for (const { failed } of waiting) failed(error)
    }
  }

  #settle(): void {
    while (this.#waiting.size > 0) {
      const decision = decide(this.#waiting.keys(), this.#texts, this.#room)
      if (!decision) {
        this.#later = setTimeout(() => this.settle(), LATER_MS).unref()
        return
      }
      if ('grant' in decision) {
        const { grant } = decision
        grant.take()
        const { granted } = this.#waiting.get(grant)!
        this.#waiting.delete(grant)
        granted()
      } else if (decision.preempt.busy) return
      else {
        this.preemptions++
        decision.preempt.preempt()
      }
    }
  }
}
