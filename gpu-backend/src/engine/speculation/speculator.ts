import type { Guess } from './accept.ts'
import { withFreeGuesses } from './costs.ts'
import type { Costs } from './costs.ts'
import { SpeculationLength } from './length.ts'
import type { Proposer } from './proposers/proposer.ts'

/** What each way of guessing has been worth in one text, by its name. */
export class Lengths {
  readonly #lengths = new Map<string, SpeculationLength>()

  of(name: string): SpeculationLength {
    const length = this.#lengths.get(name) ?? new SpeculationLength()
    this.#lengths.set(name, length)
    return length
  }
}

export interface Candidate {
  proposer: Proposer
  length: SpeculationLength
  /** Guesses at most. */
  most: number
}

/** Asks several proposers in turn. The first that has something to say guesses, unless one after it has been worth more. */
export class Speculator {
  readonly #candidates: readonly Candidate[]
  readonly #costs: Costs
  readonly #others: () => number
  /** Of the proposer that spoke last. */
  #spoke: SpeculationLength | undefined

  /** @param others further requests that go through the same forwards now. Default: none */
  constructor(candidates: readonly Candidate[], costs: Costs, others = (): number => 0) {
    this.#candidates = candidates
    this.#costs = costs
    this.#others = others
  }

  /** Whether it never guesses. */
  get silent(): boolean {
    return this.#able.length === 0
  }

  /**
   * Guesses for the tokens after `sequence`.
   * @param room guesses at most
   * @param own texts of this request that go through each forward together
   * @throws the request's signal's reason
   */
  async propose(sequence: readonly number[], room: number, own = 1): Promise<Guess[]> {
    const others = this.#others()
    const shared = { rows: 1 + others, texts: own + others }
    for (const [i, { proposer, length, most }] of this.#able.entries()) {
      const limit = Math.min(most, room)
      // Reckoning takes a part of a small forward: it is left out where there is nothing to say.
      const found = proposer.isFree ? await proposer.propose(sequence, limit) : undefined
      if (found?.length === 0) continue
      const situation = { ...shared, most: limit, costs: this.#costsOf(proposer) }
      const count = length.next({ ...situation, rival: this.#gain(i + 1, shared) })
      const guesses = found?.slice(0, count) ?? (count > 0 ? await proposer.propose(sequence, count) : [])
      if (guesses.length === 0) continue
      this.#spoke = length
      return guesses
    }
    this.#spoke = undefined
    return []
  }

  /** How many of the last guesses proved right. */
  observe(proposed: number, accepted: number): void {
    this.#spoke?.observe(proposed, accepted)
  }

  close(): void {
    for (const { proposer } of this.#candidates) proposer.close?.()
  }

  /** Those that may still have something to say. */
  get #able(): readonly Candidate[] {
    return this.#candidates.filter(({ proposer }) => !proposer.silent)
  }

  #gain(from: number, shared: { rows: number; texts: number }): number {
    const later = this.#able.slice(from)
    const gain = ({ proposer, length, most }: Candidate) =>
      length.gain({ ...shared, most, costs: this.#costsOf(proposer) })
    return Math.max(1, ...later.map(gain))
  }

  #costsOf({ isFree }: Proposer): Costs {
    return isFree ? withFreeGuesses(this.#costs) : this.#costs
  }
}
