/**
 * What goes into the next forward: plain numbers in, plain numbers out. Every text that can go on takes part, within two
 * limits: new tokens, since a forward holds up everybody in it, and padding.
 */

import { KEY_COSTS } from '../../model/region.ts'

/** New tokens of one text that wait for a forward. */
export interface Waiting {
  /** New tokens still to be run. */
  newTokens: number
  /** Keys that the last of them attends to. */
  keys: number
  /** A decode step of a sequence that is being written, for which somebody waits; otherwise prefill of a prompt. */
  urgent: boolean
  /** Forwards that have gone by without it since it came, or since its last turn. */
  passed: number
}

/** The first `tokens` of an item's new tokens. */
export interface Chunk<Item> {
  item: Item
  tokens: number
}

/** After so many forwards without any prompt, prompts go first; after so many without a text, that text does. */
const MOST_PASSED = 2

/** A prompt has had its turn when this part of a forward's budget was its own, or all that it still had: less hardly moves it on. */
const TURN = 1 / 4

/**
 * Attention may take at most this many times the work that its rows would take alone. At 2, texts being written wait for the
 * padding of prompts beside them. At 1.25 there are more forwards, and no more tokens a second. Measured with `npm run load`.
 */
const MOST_PADDING = 1.5

/** Forwards in a row without any text, and without any prompt's turn, while there were texts or prompts that waited. */
export interface Starvation {
  texts: number
  prompts: number
}

/**
 * @param waiting in order of arrival
 * @param budget new tokens that a forward may have
 * @returns never nothing while something waits. Texts being written come before prompts, in order of arrival; prompts take
 * turns. What has waited too long comes first, but prompts never keep the texts out of two forwards in a row. A row that would
 * make the padding too large is left for the next forward, and one with more tokens than the budget has left is cut.
 */
export function schedule<Item extends Waiting>(
  waiting: readonly Item[],
  budget: number,
  starved: Starvation = { texts: 0, prompts: 0 },
): Chunk<Item>[] {
  const order = waiting.length === 1 ? waiting : inOrder(waiting, starved)
  const chosen: Chunk<Item>[] = []
  let size = nothing
  let left = budget
  for (const item of order) {
    if (left === 0) break
    const chunk = { item, tokens: Math.min(item.newTokens, left) }
    const grown = grow(size, chunk)
    if (chosen.length > 0 && isWasteful(grown)) continue
    chosen.push(chunk)
    size = grown
    left -= chunk.tokens
  }
  return chosen
}

function inOrder<Item extends Waiting>(waiting: readonly Item[], starved: Starvation): readonly Item[] {
  // 3: texts that were kept out; 2: prompts that have waited too long; 1: texts; 0: prompts.
  const rank = ({ urgent, passed }: Item): number => {
    if (!urgent) return starved.prompts >= MOST_PASSED ? 2 : 0
    return starved.texts > 0 || passed >= MOST_PASSED ? 3 : 1
  }
  const turn = (item: Item): number => (rank(item) === 1 ? 0 : item.passed)
  return waiting.toSorted((a, b) => rank(b) - rank(a) || turn(b) - turn(a))
}

/** Brings the counts up to date once a forward has been chosen. */
export function countForward<Item extends Waiting>(
  waiting: readonly Item[],
  chunks: readonly Chunk<Item>[],
  budget: number,
  starved: Starvation,
): void {
  const served = new Set(chunks.filter((chunk) => hasTurn(chunk, budget)).map(({ item }) => item))
  for (const item of waiting) item.passed = served.has(item) ? 0 : item.passed + 1
  for (const [kind, urgent] of [
    ['texts', true],
    ['prompts', false],
  ] as const) {
    const those = waiting.filter((item) => item.urgent === urgent)
    starved[kind] = those.length === 0 || those.some((item) => served.has(item)) ? 0 : starved[kind] + 1
  }
}

const hasTurn = ({ item, tokens }: Chunk<Waiting>, budget: number): boolean =>
  item.urgent || tokens >= Math.min(item.newTokens, TURN * budget)

/** Pairs of query and key that the rows have, and those with every row as long and as wide as the largest. */
export function attentionArea(chunks: readonly Chunk<Waiting>[]): { useful: number; padded: number } {
  const { rows, queries, keys, area } = chunks.reduce(grow, nothing)
  return { useful: area, padded: rows * queries * keys }
}

/** Rows of a forward, the most queries and the most keys of one, and the sums of queries times keys and of keys. */
interface Size {
  rows: number
  queries: number
  keys: number
  area: number
  gathered: number
}

const nothing: Size = { rows: 0, queries: 0, keys: 0, area: 0, gathered: 0 }

function grow(size: Size, { item, tokens }: Chunk<Waiting>): Size {
  const keys = item.keys - item.newTokens + tokens
  return {
    rows: size.rows + 1,
    queries: Math.max(size.queries, tokens),
    keys: Math.max(size.keys, keys),
    area: size.area + tokens * keys,
    gathered: size.gathered + keys,
  }
}

function isWasteful({ rows, queries, keys, area, gathered }: Size): boolean {
  const each = KEY_COSTS.attending + KEY_COSTS.collecting
  return rows * (queries + each) * keys > MOST_PADDING * (area + each * gathered)
}
