/**
 * Lookahead Reasoning over plain decoding (paper §3.2, App. B, C). `k` is how many steps the target writes at a time: the
 * drafted ones and, in the synchronous cycle, one more. 1 is plain decoding. Verification is free, all steps cost the same,
 * and each is accepted independently of the others.
 */
import { check, geometric } from './layer.ts'
import type { Layer } from './layer.ts'
import { tokenSpeedup } from './tokens.ts'

/** Draft `k − 1` steps, then write `k` of the target's at once: theorem 1, f_sync(k1). @throws RangeError */
export const syncSpeedup = (layer: Layer, k: number): number => tokenSpeedup(layer, k)

/**
 * Drafting never waits for a verdict that confirms it, and at most `k` target steps are under way: theorem 2, f_async(k1).
 * Grows with `k` up to `asyncParallelism(cost)` and stays there (lemma 2).
 * @throws RangeError
 */
export function asyncSpeedup(layer: Layer, k: number): number {
  check(layer, k)
  return k >= asyncParallelism(layer.cost) ? draftLimited(layer) : depthLimited(layer, k)
}

/** Target steps under way at a time when only the draft's speed limits them: ⌈1/c⌉; `Infinity` for a draft that takes no time. */
export function asyncParallelism(cost: number): number {
  // 1 / (1 / 49) is a hair above 49.
  return Math.max(1, Math.ceil(1 / cost - 1e-9))
}

/** A stage of X accepted steps takes 1 + cX: 1 / (c + (1 − c)(1 − α)). */
const draftLimited = ({ acceptance, cost }: Layer): number => 1 / (cost + (1 - cost) * (1 - acceptance))

/** A stage of X accepted steps takes ⌈(X + 1) / k⌉ + c (X mod k); means in App. C. */
function depthLimited({ acceptance: a, cost }: Layer, k: number): number {
  const committed = geometric(a, k)
  return committed / (1 + cost * (a * committed - k * a ** k))
}
