/** Tokens in their order: `slots[i]` holds the key and value of `tokens[i]`; the last tokens may still be to be run. */
export interface Run {
  tokens: number[]
  slots: number[]
}

/** A branch's own tokens. */
export interface Leaf extends Run {
  /** Tokens that it continues, of the chain, or of the leaf that it hangs on. */
  readonly prefix: number
  /** Another leaf that it branches off from, in a tree without a chain, which itself hangs on none. */
  readonly on?: Leaf | undefined
}

/**
 * What a request expands at once: the context, then a chain of drafted tokens, then for each branch its own tokens. Leaf `b`
 * sees the context, `b.prefix` tokens of the chain (or of the leaf it hangs on), and itself.
 */
export class TokenTree {
  readonly context: Run = { tokens: [], slots: [] }
  readonly chain: Run = { tokens: [], slots: [] }
  readonly leaves = new Set<Leaf>()

  get runs(): Run[] {
    return [this.context, this.chain, ...this.leaves]
  }

  /** The text that the prefix cache may keep: the context and what follows it, the chain or else the only leaf. */
  get path(): readonly Run[] {
    const [leaf] = this.leaves
    return [this.context, this.chain.tokens.length > 0 || !leaf ? this.chain : leaf]
  }

  /** Tokens of all leaves together. */
  get written(): number {
    return sum([...this.leaves].map(({ tokens }) => tokens.length))
  }

  get held(): number {
    return sum(this.runs.map(({ slots }) => slots.length))
  }

  /** Tokens before a run's own. */
  before(run: Run): number {
    if (run === this.context) return 0
    return this.context.tokens.length + (isLeaf(run) ? run.prefix : 0)
  }
}

const isLeaf = (run: Run): run is Leaf => 'prefix' in run

/** Tokens of a run that stand in no slot yet. */
export const uncomputed = ({ tokens, slots }: Run): number => tokens.length - slots.length
export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
