/**
 * Who may take slots of a pool, who waits for them, and who gives its own back: plain numbers in, decisions out.
 *
 * Rank decides. The first in rank that needs slots takes them; when none are left, the last in rank at work gives its own back.
 * A sequence never gives slots to one that comes after it, so the first always goes on, and every other in its time. A newcomer
 * waits until there is room for all that it and those before it are still expected to write. Later newcomers wait behind it;
 * sequences at work do not.
 */

/** A sequence that shares the pool. */
export interface Sequence {
  /** The lower goes first: see `Priority`. */
  readonly rank: number
  /** Slots that it alone has. 0 means a newcomer: it has not begun, or has given all back. */
  readonly held: number
  /** Looks up how many slots it waits for; 0 when it waits for none, or for another sequence to prefill their common prefix. Costly for a newcomer. */
  countNeeded(): number
  /** Slots that it is expected to take after these, until it ends. */
  readonly left: number
}

/** Slots of the pool, and those of them that can be had. */
export interface Room {
  readonly size: number
  readonly available: number
}

export type Decision<T> = { grant: T } | { preempt: T }

/**
 * What is to be done next; asked again until nothing is. No sequence may need more than the pool's size.
 * @param waiting of all `sequences`, those that may need slots
 * @returns undefined when nobody waits, or who waits has to go on waiting
 */
export function decide<T extends Sequence>(
  waiting: Iterable<T>,
  sequences: Iterable<T>,
  room: Room,
): Decision<T> | undefined {
  const atWork = byRank([...sequences].filter(({ held }) => held > 0))
  const next = firstToServe(waiting, atWork, room)
  if (!next) return undefined
  const { sequence: first, needs } = next
  if (needs <= room.available) return { grant: first }
  const last = atWork.findLast((other) => other !== first && other.rank >= first.rank) ?? first
  return last.held > 0 ? { preempt: last } : undefined
}

const byRank = <T extends Sequence>(sequences: Iterable<T>): T[] =>
  Array.from(sequences, (sequence) => ({ sequence, rank: sequence.rank }))
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ sequence }) => sequence)

/** The first of those at work, or the first newcomer, if it may enter; with what it needs. */
function firstToServe<T extends Sequence>(
  waiting: Iterable<T>,
  atWork: readonly T[],
  room: Room,
): { sequence: T; needs: number } | undefined {
  let newcomer: T | undefined
  for (const sequence of byRank(waiting)) {
    const isNewcomer = sequence.held === 0
    if (isNewcomer && newcomer) continue
    // Hundreds may be waiting: of the newcomers one is asked, once.
    const needs = sequence.countNeeded()
    if (needs === 0) continue
    if (!isNewcomer || mayEnter({ rank: sequence.rank, held: needs, left: sequence.left }, atWork, room))
      return { sequence, needs }
    newcomer = sequence
  }
  return undefined
}

/** Whether there is room for a newcomer beside those before it; later ones can be made to give back. @param newcomer with what it needs as `held` */
function mayEnter(
  newcomer: Pick<Sequence, 'rank' | 'held' | 'left'>,
  atWork: readonly Sequence[],
  { size, available }: Room,
): boolean {
  const before = atWork.filter(({ rank }) => rank < newcomer.rank)
  if (before.length === 0) return true
  const after = atWork.slice(before.length).reduce((sum, { held }) => sum + held, 0)
  return peak(size - available - after + newcomer.held, [...before, newcomer]) <= size
}

/**
 * The most slots that will be in use at a time if all sequences take what they are expected to, each a slot at a time, and
 * give all back at their end (Gong et al., arXiv 2507.10150).
 */
export function peak(used: number, sequences: readonly Pick<Sequence, 'held' | 'left'>[]): number {
  let most = used
  let free = 0
  for (const [ended, { held, left }] of sequences.toSorted((a, b) => a.left - b.left).entries()) {
    most = Math.max(most, used - free + (sequences.length - ended) * left)
    free += held
  }
  return most
}

/** Lengths remembered. */
const REMEMBERED = 64
/** What is expected of a sequence that is longer than all that are remembered. */
const UNKNOWN = 64

/** How many tokens sequences write, from those that ended lately. */
export class LengthEstimator {
  readonly #lengths: number[] = []

  ended(length: number): void {
    if (length === 0) return
    this.#lengths.push(length)
    if (this.#lengths.length > REMEMBERED) this.#lengths.shift()
  }

  /** How much one that has written so much will still write: on average as much as those that became longer, and never beyond `most` in all. */
  left(written: number, most: number): number {
    let [sum, count] = [0, 0]
    for (const length of this.#lengths)
      if (length > written) {
        sum += length
        count++
      }
    return Math.max(0, Math.min(most - written, count > 0 ? Math.ceil(sum / count) - written : UNKNOWN))
  }
}
