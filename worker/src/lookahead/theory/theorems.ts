/** When both layers together are best (paper §3.3, App. B). `budget` is M, tokens in a forward of the target. */
import type { Layers } from './combined.ts'
import { check } from './layer.ts'
import { syncSpeedup } from './steps.ts'
import { tokenSpeedup } from './tokens.ts'

/** max over 0 < y < 1 of 2 − y + (y − 2 + 1/y) ln(1 − y), rounded up (lemma 6). */
const LEAST_GAIN = 1.157

/** Whether theorem 4 speaks of these rates: 0.52 < α1, α2 < 0.8, c1 < 1/3, c2 < 1/5, M ≥ 16 and even. */
export function theorem4Applies({ steps, tokens }: Layers, budget: number): boolean {
  const inRange = ({ acceptance }: { acceptance: number }) => acceptance > 0.52 && acceptance < 0.8
  return inRange(steps) && inRange(tokens) && steps.cost < 1 / 3 && tokens.cost < 1 / 5 && isEven(budget, 16)
}

/** Theorem 4, asynchronous: the best choice has both layers, k1 ≥ 2 and k2 ≥ 2. `undefined` where it does not apply. */
export const theorem4 = (layers: Layers, budget: number): 'both' | undefined =>
  theorem4Applies(layers, budget) ? 'both' : undefined

/** Whether theorem 3 speaks of these rates: M ≥ 4 and even, and two at a time gain more than 1.157 in either layer. */
export function theorem3Applies({ steps, tokens }: Layers, budget: number): boolean {
  return isEven(budget, 4) && Math.min(syncSpeedup(steps, 2), tokenSpeedup(tokens, 2)) > LEAST_GAIN
}

/**
 * Theorem 3, synchronous: which layers the best choice has. Inequality (7), written out (1 + α1) / (1 + c1) ≥
 * (1 + α2^(M/2)) (1 − c2 + c2 M/2) / (1 − c2 + c2 M), says that two steps of M/2 tokens are as good as one of M; (8) says the
 * same of two tokens. At least one holds. `undefined` where it does not apply.
 * @throws RangeError
 */
export function theorem3(layers: Layers, budget: number): 'both' | 'tokens' | 'steps' | undefined {
  check(layers.steps, budget)
  check(layers.tokens, budget)
  if (!theorem3Applies(layers, budget)) return undefined
  const { steps, tokens } = layers
  const stepsPay = syncSpeedup(steps, 2) >= tokenSpeedup(tokens, budget) / tokenSpeedup(tokens, budget / 2)
  const tokensPay = tokenSpeedup(tokens, 2) >= syncSpeedup(steps, budget) / syncSpeedup(steps, budget / 2)
  if (stepsPay && tokensPay) return 'both'
  return stepsPay ? 'steps' : 'tokens'
}

const isEven = (budget: number, least: number): boolean => budget >= least && budget % 2 === 0
