/** What one cycle did and took. */
export interface Cycle {
  /** 0: the target wrote alone. */
  drafted: number
  accepted: number
  /** Steps and tokens committed. */
  steps: number
  tokens: number
  /** Wall time, drafting and waiting included; undefined where it is not to be learned from. */
  ms: number | undefined
}

/** What the next cycle is to do: draft `depth` steps, or let the target alone write `steps`. */
export type Plan = { depth: number; steps: 1 } | { depth: 0; steps: number }

/** Weight of the past after one more cycle: the last 20 or so count. */
const MEMORY = 0.95
/** Steps the target writes alone before lookahead is tried again: at first, and at most. */
const PATIENCE = [4, 256] as const
/**
 * What one more drafted step adds to a cycle's cost, as a share of a cycle without any. Measured with the demo models on two
 * cores: 0.16. Only the scale is learned: cycles of one run have too few depths for a slope.
 */
const MARGINAL = 0.16
/** Cycles of lookahead after which the target is timed alone again. */
const TRUST = 64

/**
 * How many steps to draft ahead, from measured acceptance and cost (paper §3.2): with `a` the chance that a drafted step
 * is accepted, `d` of them commit `1 + a + … + a^d` steps, and the cycle costs `c·(1 + d·MARGINAL)`, counted in steps that
 * the target writes alone (with token speculation, where the mode has it). The depth with the best ratio is taken. Where
 * none gains, the target writes alone, and lookahead is tried again after a while that doubles each time: it never costs
 * much more than those trials.
 */
export class DepthPolicy {
  readonly #most: number
  // Before anything is measured: four of five accepted.
  readonly #judged = new Decayed(5)
  readonly #accepted = new Decayed(4)
  /** Cost of the cycles seen, and what `shape` gives for them. */
  readonly #cost = { measured: new Decayed(1), shape: new Decayed(1) }
  readonly #tokens = new Decayed(0)
  readonly #steps = new Decayed(0)
  readonly #alone = { ms: new Decayed(0), tokens: new Decayed(0) }
  #measured = false
  /** Cycles of lookahead since the target was timed alone. */
  #unchecked = TRUST
  #patience: number = PATIENCE[0]
  #trying = false

  /** @param most the depth asked for: the first cycle's, and never exceeded */
  constructor(most: number) {
    this.#most = most
  }

  next(): Plan {
    if (!this.#measured) return { depth: this.#most, steps: 1 }
    if (this.#unchecked >= TRUST) return { depth: 0, steps: PATIENCE[0] }
    const { depth, gain } = this.#best()
    if (gain >= 1) this.#patience = PATIENCE[0]
    if (gain >= 1 || this.#trying) {
      this.#trying = false
      return { depth, steps: 1 }
    }
    this.#trying = true
    const steps = this.#patience
    this.#patience = Math.min(2 * steps, PATIENCE[1])
    return { depth: 0, steps }
  }

  observe({ drafted, accepted, steps, tokens, ms }: Cycle): void {
    if (tokens === 0 || steps === 0) return
    if (drafted === 0) return this.#timedAlone(tokens, ms)
    this.#measured = true
    this.#unchecked++
    // Steps after the first rejected one were never compared with what the target would say.
    this.#judged.add(Math.min(accepted + 1, drafted))
    this.#accepted.add(accepted)
    this.#tokens.add(tokens)
    this.#steps.add(steps)
    // A cycle's own steps may be short ones: what a step is, all the cycles say together.
    const stepMs = ((this.#alone.ms.sum / this.#alone.tokens.sum) * this.#tokens.sum) / this.#steps.sum
    if (ms === undefined || !(stepMs > 0)) return
    this.#cost.measured.add(ms / stepMs)
    this.#cost.shape.add(shape(drafted))
  }

  #timedAlone(tokens: number, ms: number | undefined): void {
    if (ms === undefined) return
    this.#unchecked = 0
    this.#alone.ms.add(ms)
    this.#alone.tokens.add(tokens)
  }

  #best(): { depth: number; gain: number } {
    const acceptance = this.#accepted.sum / this.#judged.sum
    const scale = this.#cost.measured.sum / this.#cost.shape.sum
    let best = { depth: 1, gain: 0 }
    let committed = 1
    for (let depth = 1; depth <= this.#most; depth++) {
      committed += acceptance ** depth
      const gain = committed / (scale * shape(depth))
      if (gain > best.gain) best = { depth, gain }
    }
    return best
  }
}

const shape = (depth: number): number => 1 + MARGINAL * depth

/** A sum in which the past counts less and less. */
class Decayed {
  sum: number

  constructor(start: number) {
    this.sum = start
  }

  add(value: number): void {
    this.sum = MEMORY * this.sum + value
  }
}
