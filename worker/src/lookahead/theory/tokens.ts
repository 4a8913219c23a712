/** Token speculation (paper §2). */
import { check, geometric } from './layer.ts'
import type { Layer } from './layer.ts'

/**
 * Speedup over plain decoding when `guesses` tokens are drafted for a forward, in the convention of Leviathan et al.
 * (arXiv 2211.17192, theorem 3.8): (1 − α^(γ+1)) / ((1 − α)(1 + cγ)). At most 1 / (1 − α).
 * @throws RangeError
 */
export const leviathanSpeedup = (layer: Layer, guesses: number): number => tokenSpeedup(layer, guesses + 1)

/**
 * The same in the paper's convention, g(k2): `k` tokens are in a forward, one of them no guess:
 * (1 − α^k) / ((1 − α)(1 − c + ck)). 1 is plain decoding.
 * @throws RangeError
 */
export function tokenSpeedup({ acceptance, cost }: Layer, k: number): number {
  check({ acceptance, cost }, k)
  return geometric(acceptance, k) / (1 - cost + cost * k)
}
