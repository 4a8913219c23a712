import type { SlotPool } from './slot-pool.ts'

/** A stretch of text that follows its parent's. No two children of a node begin with the same token. */
interface Node {
  tokens: number[]
  /** `slots[i]` holds the key and value of `tokens[i]`, after all the tokens above it. */
  slots: number[]
  readonly children: Map<number, Node>
  parent: Node | undefined
  /** Time of the last text that went through here, in look-ups. */
  lastUsed: number
}

/** Fewer shared tokens are cheaper to run again than to share: shared keys lie elsewhere in the pool and are collected at every forward. */
const FEWEST_SHARED = 16

/**
 * The prefixes whose keys and values stand in a pool, as radix trees over token ids (RadixAttention; Zheng et al.,
 * arXiv 2312.07104), one for each beginning of `fewest` tokens. Texts with the same beginning use the same slots. Slots that no text
 * uses stay until the pool runs short; then the texts used least recently lose theirs first, from their ends.
 */
export class PrefixCache {
  /** Slots taken from the cache for others. */
  evictions = 0
  readonly #pool: SlotPool
  readonly #fewest: number
  /** By the first `fewest` tokens of their texts, and their salt. Each root has one child. */
  readonly #roots = new Map<string, Node>()
  #clock = 0

  /** @param fewest tokens that texts must share in order to share slots; shorter ones are not kept */
  constructor(pool: SlotPool, fewest = FEWEST_SHARED) {
    this.#pool = pool
    this.#fewest = fewest
  }

  /**
   * The slots of the longest prefix of `sequence` that is here. The caller becomes a user of each and must give them back.
   * @param salt only texts entered with the same one are found, here and in all that follows
   */
  match(sequence: readonly number[], salt = ''): number[] {
    const slots = this.#descend(sequence, salt).flatMap((node) => node.slots)
    this.#pool.share(slots)
    return slots
  }

  /** How many tokens from the beginning of `sequence` are here, and how many of these others use now. Changes nothing. */
  lookUp(sequence: readonly number[], salt = ''): { cached: number; used: number } {
    let cached = 0
    let used = 0
    let node = this.#roots.get(this.#beginning(sequence, salt))
    while ((node = node?.children.get(sequence[cached] ?? -1))) {
      const same = commonLength(node.tokens, sequence, cached)
      if (used === cached) while (used < cached + same && this.#pool.isUsed(node.slots[used - cached]!)) used++
      cached += same
      if (same < node.tokens.length) break
    }
    return { cached, used }
  }

  /**
   * Enters a text whose keys and values stand in `slots`, which the caller uses.
   * @returns the slots that the caller uses from now on. As far as the text was here before they are those it had then, and the
   * caller's own are given back, so that equal prefixes take up slots once. Too short a text is not entered, nor one that shares
   * too short a beginning with another and stands in its slots
   */
  insert(sequence: readonly number[], slots: readonly number[], salt = ''): number[] {
    if (sequence.length !== slots.length) throw new Error(`${sequence.length} tokens in ${slots.length} slots`)
    if (sequence.length < this.#fewest) return [...slots]
    const path = this.#descend(sequence, salt)
    // The first slots are another text's in this cache, and a slot cannot be cached twice.
    if (path.length === 0 && this.#pool.isCached(slots[0]!)) return [...slots]
    const known = path.flatMap((node) => node.slots)
    this.#pool.share(known)
    this.#pool.give(slots.slice(0, known.length))
    const fresh = slots.slice(known.length)
    if (fresh.length > 0)
      this.#append(path.at(-1) ?? this.#newRoot(sequence, salt), sequence.slice(known.length), fresh)
    return [...known, ...fresh]
  }

  /** Frees at least `n` slots, or as many as no text uses. */
  evict(n: number): void {
    const oldestLast = [...this.#nodes()].filter((node) => node.children.size === 0)
    oldestLast.sort((a, b) => b.lastUsed - a.lastUsed)
    let freed = 0
    for (let leaf = oldestLast.pop(); leaf && freed < n; leaf = oldestLast.pop()) {
      const parent = leaf.parent!
      const used = leaf.slots.findLastIndex((slot) => this.#pool.isUsed(slot)) + 1
      const kept = Math.max(used, leaf.slots.length - (n - freed))
      if (kept === 0) parent.children.delete(leaf.tokens[0]!)
      const dropped = leaf.slots.splice(kept)
      leaf.tokens.length = kept
      this.#pool.uncache(dropped)
      freed += dropped.length
      if (!parent.parent || parent.children.size > 0) continue
      // The parent ends its text now, and takes its place in the order.
      oldestLast.splice(oldestLast.findLastIndex((other) => other.lastUsed > parent.lastUsed) + 1, 0, parent)
    }
    for (const [beginning, root] of this.#roots) if (root.children.size === 0) this.#roots.delete(beginning)
    this.evictions += freed
  }

  /** All slots here. */
  *slots(): Generator<number, void, undefined> {
    for (const node of this.#nodes()) yield* node.slots
  }

  /** The nodes that spell the longest prefix of `sequence` that is here; the last is split where the text leaves it. */
  #descend(sequence: readonly number[], salt: string): Node[] {
    const now = ++this.#clock
    const path: Node[] = []
    const root = this.#roots.get(this.#beginning(sequence, salt))
    if (!root) return []
    let node = root
    for (let length = 0; length < sequence.length; length += node.tokens.length) {
      const child = node.children.get(sequence[length]!)
      if (!child) break
      const same = commonLength(child.tokens, sequence, length)
      node = same < child.tokens.length ? split(child, same) : child
      node.lastUsed = now
      path.push(node)
    }
    return path
  }

  #beginning(sequence: readonly number[], salt: string): string {
    return `${sequence.slice(0, this.#fewest).join()}\n${salt}`
  }

  #newRoot(sequence: readonly number[], salt: string): Node {
    const root: Node = { tokens: [], slots: [], children: new Map(), parent: undefined, lastUsed: 0 }
    this.#roots.set(this.#beginning(sequence, salt), root)
    return root
  }

  /** Appends to a node's own text where nothing else follows it, so that a growing text stays one node. */
  #append(node: Node, tokens: number[], slots: number[]): void {
    this.#pool.cache(slots)
    if (node.parent && node.children.size === 0) {
      node.tokens = node.tokens.concat(tokens)
      node.slots = node.slots.concat(slots)
    } else node.children.set(tokens[0]!, { tokens, slots, children: new Map(), parent: node, lastUsed: this.#clock })
  }

  *#nodes(): Generator<Node, void, undefined> {
    const open = [...this.#roots.values()].flatMap((root) => [...root.children.values()])
    for (let node = open.pop(); node; node = open.pop()) {
      open.push(...node.children.values())
      yield node
    }
  }
}

/** How many of `tokens` stand in `sequence` from `start`. */
export function commonLength(tokens: readonly number[], sequence: readonly number[], start: number): number {
  const most = Math.min(tokens.length, sequence.length - start)
  let same = 0
  while (same < most && tokens[same] === sequence[start + same]) same++
  return same
}

/** Makes the node's first `length` tokens a node of their own. @returns that node, the other's parent */
function split(node: Node, length: number): Node {
  const upper: Node = {
    tokens: node.tokens.slice(0, length),
    slots: node.slots.slice(0, length),
    children: new Map([[node.tokens[length]!, node]]),
    parent: node.parent,
    lastUsed: node.lastUsed,
  }
  node.parent!.children.set(node.tokens[0]!, upper)
  node.tokens = node.tokens.slice(length)
  node.slots = node.slots.slice(length)
  node.parent = upper
  return upper
}
