import type { RunRequest } from '@lookahead/sdk/protocol'
import { LoadController } from './load-controller.ts'
import { draftsSteps, fixedController } from './controller.ts'
import type { Controller } from './controller.ts'

/** Kinds of run whose controllers are kept. */
const MAX_KINDS = 64

/** What runs have taught about looking ahead, by kind of run. */
export class Controllers {
  readonly #known = new Map<string, Controller>()

  /**
   * A run's controller; runs of one kind share what they learn.
   */
  for({ lookahead, sampling }: RunRequest): Controller {
    const { mode, depth, verifier, threshold, adaptive = mode === 'auto' } = lookahead
    if (!adaptive || !draftsSteps(mode)) return fixedController(lookahead)
    const kind = JSON.stringify([mode, depth, verifier, threshold, sampling.temperature ?? 'model'])
    const known = this.#known.get(kind) ?? new LoadController(lookahead)
    // The kinds seen last are kept: temperatures are without number.
    this.#known.delete(kind)
    this.#known.set(kind, known)
    if (this.#known.size > MAX_KINDS) this.#known.delete(this.#known.keys().next().value!)
    return known
  }
}
