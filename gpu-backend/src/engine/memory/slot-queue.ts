import { decide } from './admission.ts'
import type { Room, Sequence } from './admission.ts'

/** A sequence that takes slots and can give them back. */
export interface PreemptibleSequence extends Sequence {
  /** A forward works with its slots: they cannot be taken away now. */
  readonly busy: boolean
  /** Takes what it needs. */
  take(): void
  /** Gives all its slots back, and will need them again when it goes on. */
  preempt(): void
}

/** The queue is looked at again after so long: a sequence that becomes idle changes its rank, and nothing else tells of it. */
const LATER_MS = 500

/** There are no slots for a sequence that does not wait. */
export class NoRoom extends Error {}

/** The sequences that share one pool, and those of them that wait for slots; `decide` says who is served. */
export class SlotQueue {
  /** Sequences that had to give their slots back before their end. */
  preemptions = 0
  readonly #room: Room
  readonly #sequences = new Set<PreemptibleSequence>()
  readonly #waiting = new Map<PreemptibleSequence, { granted: () => void; failed: (error: unknown) => void }>()
  #later: NodeJS.Timeout | undefined

  constructor(room: Room) {
    this.#room = room
  }

  /** Sequences that wait for slots. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Resolves when the sequence has taken what it needs.
   * @throws the signal's reason as soon as it is aborted; or what went wrong when any sequence took slots or gave them back:
   * the caller must `leave` then
   */
  async wait(sequence: PreemptibleSequence, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#isNext(sequence)) return sequence.take()
    await new Promise<void>((resolve, reject) => {
      const abort = (): void => {
        this.#sequences.delete(sequence)
        this.#waiting.delete(sequence)
        reject(signal!.reason as Error)
      }
      this.#sequences.add(sequence)
      const done = (): void => signal?.removeEventListener('abort', abort)
      this.#waiting.set(sequence, {
        granted: () => (done(), resolve()),
        failed: (error) => (done(), reject(error)),
      })
      this.settle()
      if (this.#waiting.has(sequence)) signal?.addEventListener('abort', abort)
    })
  }

  /** For a sequence that can do without. @throws {NoRoom} when there are no slots for it, or others come first: it must give back what it holds */
  takeNow(sequence: PreemptibleSequence): void {
    if (this.#isNext(sequence)) return sequence.take()
    this.#sequences.add(sequence)
    const decision = decide([...this.#waiting.keys(), sequence], this.#sequences, this.#room)
    if (decision && 'grant' in decision && decision.grant === sequence) return sequence.take()
    this.#sequences.delete(sequence)
    throw new NoRoom('all token slots are in use')
  }

  /** To be called when a sequence has ended. */
  leave(sequence: PreemptibleSequence): void {
    this.#sequences.delete(sequence)
    this.settle()
  }

  /** To be called when slots have come back, or a sequence is no longer busy. */
  settle(): void {
    clearTimeout(this.#later)
    try {
      this.#serve()
    } catch (error) {
      // Reject all waiters; throwing from a timer would end the process.
      const waiting = [...this.#waiting.values()]
      this.#waiting.clear()
      for (const { failed } of waiting) failed(error)
    }
  }

  /** Whether `decide` would serve it at once; a shorter way, for a text that is being written asks before every token. */
  #isNext(sequence: PreemptibleSequence): boolean {
    return this.#waiting.size === 0 && sequence.held > 0 && sequence.countNeeded() <= this.#room.available
  }

  #serve(): void {
    while (this.#waiting.size > 0) {
      const decision = decide(this.#waiting.keys(), this.#sequences, this.#room)
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
