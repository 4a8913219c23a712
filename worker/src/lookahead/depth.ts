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
/** Cycles of lookahead after which the target is timed alone again. */
const TRUST = 64

/**
 * How many steps to draft ahead, from measured acceptance and cost (paper §3.2): with `a` the chance that a drafted step
 * is accepted, `d` of them commit `1 + a + … + a^d` steps, and the cycle costs `fixed + d·marginal`, counted in steps that the
 * target writes alone (with token speculation, where the mode has it). The depth with the best ratio is taken. Where none
 * gains, the target writes alone, and lookahead is tried again after a while that doubles each time: it never costs much
 * more than those trials.
 */
export class DepthPolicy {
  readonly #most: number
  // Before anything is measured: four of five accepted, and costs at which every depth gains.
  readonly #judged = new Decayed(5)
  readonly #accepted = new Decayed(4)
  readonly #cost = new Line([
    [1, 1.2],
    [8, 2.6],
  ])
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
    if (ms !== undefined && stepMs > 0) this.#cost.add(drafted, ms / stepMs)
  }

  #timedAlone(tokens: number, ms: number | undefined): void {
    if (ms === undefined) return
    this.#unchecked = 0
    this.#alone.ms.add(ms)
    this.#alone.tokens.add(tokens)
  }

  #best(): { depth: number; gain: number } {
    const acceptance = this.#accepted.sum / this.#judged.sum
    let best = { depth: 1, gain: 0 }
    let committed = 1
    for (let depth = 1; depth <= this.#most; depth++) {
      committed += acceptance ** depth
      const gain = committed / this.#cost.at(depth)
      if (gain > best.gain) best = { depth, gain }
    }
    return best
  }
}

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

/** Least squares through points that count less and less. */
class Line {
  #n = 0
  #x = 0
  #y = 0
  #xx = 0
  #xy = 0

  constructor(start: readonly (readonly [x: number, y: number])[]) {
    for (const [x, y] of start) this.#put(x, y)
  }

  add(x: number, y: number): void {
    this.#n *= MEMORY
    this.#x *= MEMORY
    this.#y *= MEMORY
    this.#xx *= MEMORY
    this.#xy *= MEMORY
    this.#put(x, y)
  }

  /** Never falling, and never below the cost of half a step: a fit to few points can be absurd. */
  at(x: number): number {
    const spread = this.#n * this.#xx - this.#x ** 2
    const slope = spread > 0 ? Math.max(0, (this.#n * this.#xy - this.#x * this.#y) / spread) : 0
    return Math.max(0.5, (this.#y - slope * this.#x) / this.#n + slope * x)
  }

  #put(x: number, y: number): void {
    this.#n += 1
    this.#x += x
    this.#y += y
    this.#xx += x * x
    this.#xy += x * y
  }
}
