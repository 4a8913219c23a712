/**
 * Who may take slots of a pool, who waits for them, and who gives its own back: plain numbers in, decisions out.
 *
 * Age decides. The oldest text that needs slots comes first, and takes them from the youngest at work when none are left;
 * none is ever taken from for a younger one. So the oldest always goes on, and in its time every other. A newcomer waits
 * until there is room for what it and those before it are still expected to write, and younger newcomers wait behind it,
 * but not the texts at work.
 */

/** A text that shares the pool; all but `arrival` in slots. */
export interface Text {
  /** Who came earlier is older. */
  readonly arrival: number
  /** What it has, and others do not; 0 only for a newcomer, which has not begun or has given all back. */
  readonly held: number
  /** What it waits for; 0 when it does not wait, or others are getting it for it. */
  readonly needs: number
  /** What it is expected to take after that, until it ends. */
  readonly left: number
}

/** Slots of the pool, and those of them that can be had. */
export interface Room {
  readonly size: number
  readonly available: number
}

export type Decision<T> = { grant: T } | { preempt: T }

/**
 * What is to be done next; asked again until nothing is. No text may need more than the pool's size.
 * @param waiting of all `texts`, those that may need slots
 * @returns undefined when nobody waits, or who waits has to go on waiting
 */
export function decide<T extends Text>(waiting: Iterable<T>, texts: Iterable<T>, room: Room): Decision<T> | undefined {
  const atWork = byAge([...texts].filter(({ held }) => held > 0))
  const next = oldest(waiting, atWork, room)
  if (!next) return undefined
  const { text: first, needs } = next
  if (needs <= room.available) return { grant: first }
  const youngest = atWork.findLast((text) => text !== first && text.arrival >= first.arrival) ?? first
  return youngest.held > 0 ? { preempt: youngest } : undefined
}

const byAge = <T extends Text>(texts: Iterable<T>): T[] =>
  Array.from(texts, (text) => ({ text, arrival: text.arrival }))
    .toSorted((a, b) => a.arrival - b.arrival)
    .map(({ text }) => text)

/** The oldest that is at work, or of the newcomers the oldest, if it may enter; with what it needs. */
function oldest<T extends Text>(waiting: Iterable<T>, atWork: readonly T[], room: Room): Next<T> | undefined {
  let newcomer: T | undefined
  for (const text of byAge(waiting)) {
    const isNewcomer = text.held === 0
    if (isNewcomer && newcomer) continue
    // What a newcomer needs takes time to find out, and hundreds may be waiting: one is asked, once.
    const { needs } = text
    if (needs === 0) continue
    if (!isNewcomer || mayEnter({ arrival: text.arrival, held: needs, left: text.left }, atWork, room))
      return { text, needs }
    newcomer = text
  }
  return undefined
}

interface Next<T> {
  text: T
  needs: number
}

/** Younger texts do not count: their slots can be had. @param newcomer holds what it needs */
function mayEnter(newcomer: Omit<Text, 'needs'>, atWork: readonly Text[], { size, available }: Room): boolean {
  const older = atWork.filter(({ arrival }) => arrival < newcomer.arrival)
  if (older.length === 0) return true
  const younger = atWork.slice(older.length).reduce((sum, { held }) => sum + held, 0)
  return peak(size - available - younger + newcomer.held, [...older, newcomer]) <= size
}

/**
 * The most slots that will be in use at a time if all texts take what they are expected to, each a slot at a time, and give
 * all back at their end (Gong et al., arXiv 2507.10150).
 */
export function peak(used: number, texts: readonly Pick<Text, 'held' | 'left'>[]): number {
  let most = used
  let free = 0
  for (const [ended, { held, left }] of texts.toSorted((a, b) => a.left - b.left).entries()) {
    most = Math.max(most, used - free + (texts.length - ended) * left)
    free += held
  }
  return most
}

/** Texts remembered. */
const MEMORY = 64
/** What is expected of a text that is longer than all that are remembered. */
const UNKNOWN = 64

/** How much texts write, from those that ended lately. */
export class Expectation {
  readonly #lengths: number[] = []

  ended(length: number): void {
    if (length === 0) return
    this.#lengths.push(length)
    if (this.#lengths.length > MEMORY) this.#lengths.shift()
  }

  /** What a text that has written so much will still write: as much as those that were longer, and no more than `most`. */
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
