import { AdaptiveController } from './adaptive-controller.ts'
import type { Controller, Cycle, Plan } from './controller.ts'
import type { Mode } from '@lookahead/sdk/protocol'

/**
 * Learns apart for an engine that is a text's own, where time counts, and for one that others use too. There a text is not
 * faster for what it takes from them: what counts is its own part of the forwards, and the more they share, the less pays.
 */
export class LoadController implements Controller {
  readonly #own: AdaptiveController
  readonly #shared: AdaptiveController
  #isShared = false

  constructor(lookahead: { mode: Mode; depth: number; width?: number }) {
    this.#own = new AdaptiveController(lookahead)
    this.#shared = new AdaptiveController(lookahead)
  }

  next(): Plan {
    return (this.#isShared ? this.#shared : this.#own).next()
  }

  observe(cycle: Cycle): void {
    const { share } = cycle
    this.#isShared = share !== undefined && share.load > 1
    if (this.#isShared) this.#shared.observe({ ...cycle, ms: share!.ms })
    else this.#own.observe(cycle)
  }
}
