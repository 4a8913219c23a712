/**
 * Benchmarks only: what is accepted is drawn at given rates, and all else is real: forwards, packing, slots, sampling, the judge's
 * questions. So models of real shapes with random weights show what the method takes at the acceptance of trained pairs.
 * vLLM, SGLang and llama.cpp have the same for token speculation.
 */
import { accepted, rejected } from '@lookahead/worker/verifiers'
import type { Pair, Ruling, Verifier } from '@lookahead/worker/verifiers'
import { sample } from './sampling/distribution.ts'
import { Random } from './sampling/random.ts'
import type { Sampler } from './speculation/accept.ts'

export interface ForcedAcceptance {
  /** Chance that a guessed token is kept, once those before it are (α2). */
  tokens: number
  /** Chance that a drafted step is accepted, once those before it are (α1). */
  steps: number
  /** Default 0. */
  seed?: number
}

export class Forced {
  readonly #rates: ForcedAcceptance
  readonly #random: Random
  /** By the drafted step's tokens: a step that is asked about again gets the same answer. */
  readonly #rulings = new WeakMap<readonly number[], Ruling>()

  constructor(rates: ForcedAcceptance) {
    this.#rates = rates
    this.#random = new Random(rates.seed ?? 0)
  }

  /** Walks the guesses as the real ones do, and asks for the same distributions. */
  readonly sampler: Sampler = (guesses, p, _position, bonus) => {
    const draw = (i: number) => sample(p(i), this.#random.next())
    for (const i of guesses.keys()) {
      const next = draw(i)
      if (this.#random.next() >= this.#rates.tokens) return { accepted: i, next }
    }
    const { length } = guesses
    return { accepted: length, next: bonus ? draw(length) : undefined }
  }

  /** Asks the verifier about every step whose target version has ended, and heeds neither what it says nor what it would keep. */
  verifier(verifier: Verifier): Verifier {
    return {
      name: verifier.name,
      rule: () => undefined,
      ask: async (pairs, signal) => {
        await verifier.ask?.(pairs, signal)
        return pairs.map((pair) => this.#ruling(pair))
      },
    }
  }

  #ruling({ draft: { tokens } }: Pair): Ruling {
    const known = this.#rulings.get(tokens)
    if (known) return known
    const ruling = this.#random.next() < this.#rates.steps ? accepted('random') : rejected('random')
    this.#rulings.set(tokens, ruling)
    return ruling
  }
}
