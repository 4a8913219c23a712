/** Both layers together under a parallel budget (paper §3.3). */
import { asyncParallelism, asyncSpeedup, syncSpeedup } from './steps.ts'
import { tokenSpeedup } from './tokens.ts'
import { check } from './layer.ts'
import type { Layer } from './layer.ts'

/** `async`: drafting runs ahead of the verdicts. */
export type Kind = 'sync' | 'async'

export interface Layers {
  /** α1, c1. */
  steps: Layer
  /** α2, c2. */
  tokens: Layer
}

/** What is written at a time: k1 steps of k2 tokens each. Drafted are k1 − 1 (`async`: k1) steps; guessed, k2 − 1 tokens. */
export interface Choice {
  steps: number
  tokens: number
  /** Over plain decoding: h(k1, k2). */
  speedup: number
}

const stepSpeedup = { sync: syncSpeedup, async: asyncSpeedup }

/** h(k1, k2) = f(k1) · g(k2). @throws RangeError */
export const combinedSpeedup = (kind: Kind, layers: Layers, k1: number, k2: number): number =>
  stepSpeedup[kind](layers.steps, k1) * tokenSpeedup(layers.tokens, k2)

/** Target steps that are really under way at a time, of `k1` that may be. */
export const parallelSteps = (kind: Kind, { cost }: Layer, k1: number): number =>
  kind === 'sync' ? k1 : Math.min(k1, asyncParallelism(cost))

/**
 * For every k1 that a budget has room for, the k2 that suits it best. Tokens in a forward of the target, steps under way
 * times tokens of each, are at most `budget` (M).
 * @throws RangeError
 */
export function choices(kind: Kind, layers: Layers, budget: number): [Choice, ...Choice[]] {
  check(layers.steps, budget)
  check(layers.tokens, budget)
  const most = parallelSteps(kind, layers.steps, budget)
  const withSteps = (steps: number) => bestTokens(kind, layers, steps, Math.floor(budget / steps))
  return [withSteps(1), ...countTo(most).slice(1).map(withSteps)]
}

/** The best of all; of equals the one with fewer steps. @throws RangeError */
export function optimum(kind: Kind, layers: Layers, budget: number): Choice {
  return best(choices(kind, layers, budget))
}

function bestTokens(kind: Kind, layers: Layers, steps: number, most: number): Choice {
  return best(countTo(most).map((tokens) => ({ steps, tokens, speedup: combinedSpeedup(kind, layers, steps, tokens) })))
}

const best = (all: readonly Choice[]): Choice => all.reduce((a, b) => (b.speedup > a.speedup ? b : a))

const countTo = (most: number): number[] => Array.from({ length: most }, (_, i) => i + 1)
