import type { Row } from './row.ts'

/** Keys of a row that lie one after another. */
export interface Stretch {
  /** The first one's index in the row's `keySlots`, and its slot. */
  index: number
  slot: number
  length: number
}

/** Slots of the pool that follow one another, and all keys of a row among them. */
export interface Region {
  from: number
  count: number
  /** In the order of the row's `keySlots`. */
  stretches: readonly Stretch[]
}

/** Numbers of keys are multiples of this, so that a growing context keeps its shape for many tokens. */
export const KEY_BLOCK = 32

/**
 * What a key costs a row beside its queries, in the time that a query takes to attend to it: to lay it out for the product, and
 * to collect it and its value from their slots. From the operators' times on a CPU, which `npm run bench:engine -- --profile`
 * shows for the demo target.
 */
export const KEY_COSTS = { attending: 6, collecting: 6 }

/**
 * The region that a row's keys lie in, if it costs less to attend to all of it than to collect the keys first; undefined
 * if it does not, and for several rows.
 *
 * @param slots of the pool
 */
export function keyRegion(rows: readonly Row[], slots: number): Region | undefined {
  const [row, ...others] = rows
  if (!row || others.length > 0) return undefined
  const { tokens, keySlots, writeSlots } = row
  const stretches = stretchesOf(keySlots)
  let [first, last] = [Infinity, 0]
  for (const { slot, length } of [...stretches, ...stretchesOf(writeSlots)]) {
    first = Math.min(first, slot)
    last = Math.max(last, slot + length - 1)
  }
  const start = first - (first % KEY_BLOCK)
  const count = Math.ceil((last + 1 - start) / KEY_BLOCK) * KEY_BLOCK
  const { attending, collecting } = KEY_COSTS
  const each = attending + tokens.length
  const asTheyLie = count * each
  // Collected keys are padded to whole blocks too.
  const collected = keySlots.length * (collecting + each) + KEY_BLOCK * each
  if (asTheyLie > collected || count > slots) return undefined
  return { from: Math.min(start, slots - count), count, stretches }
}

function stretchesOf(slots: ArrayLike<number>): Stretch[] {
  const stretches: Stretch[] = []
  for (let i = 0; i < slots.length;) {
    const [index, slot] = [i, slots[i]!]
    do i++
    while (i < slots.length && slots[i] === slot + i - index)
    stretches.push({ index, slot, length: i - index })
  }
  return stretches
}

/** The slot after the last that a forward of these rows uses. */
export function slotsEnd(rows: readonly Row[], region: Region | undefined): number {
  if (region) return region.from + region.count
  return 1 + rows.reduce((last, { writeSlots }) => writeSlots.reduce((a, b) => Math.max(a, b), last), 0)
}
