import type { ModeSummary } from '../summary.ts'
import type { Setting } from './settings.ts'

/** The best of the settings within a budget, of one mode. */
export interface BudgetPoint {
  /** Tokens in a forward of the target at most (the paper's M). */
  budget: number
  mode: string
  summary: ModeSummary
}

/**
 * Of `sd`, `lr` and `lr+sd` the best median speedup that k1 · k2 ≤ M allows, for every M that some setting uses up: k1 = depth + 1
 * steps where steps are drafted, k2 = tokens + 1 where tokens are guessed (paper §3.3, figures 2 and 3). Settings count whose depth
 * is fixed and whose tokens are known.
 */
export function budgetPoints(settings: readonly Setting[]): BudgetPoint[] {
  const spent = settings.flatMap(({ conditions, modes }) =>
    Object.entries(modes).flatMap(([mode, summary]) => {
      const budget = budgetOf(mode, conditions)
      return budget === undefined || summary.speedup === null ? [] : [{ budget, mode, summary }]
    }),
  )
  return [...Map.groupBy(spent, ({ mode }) => mode).values()].flatMap((points) => {
    const budgets = [...new Set(points.map(({ budget }) => budget))].toSorted((a, b) => a - b)
    return budgets.map((budget) => ({ ...best(points.filter((point) => point.budget <= budget)), budget }))
  })
}

function budgetOf(mode: string, { depth, adaptive, tokens }: Setting['conditions']): number | undefined {
  const steps = adaptive === false && typeof depth === 'number' ? depth + 1 : undefined
  const guesses = typeof tokens === 'number' ? tokens + 1 : undefined
  if (mode === 'lr') return steps
  if (mode === 'sd') return guesses
  return mode === 'lr+sd' && steps !== undefined && guesses !== undefined ? steps * guesses : undefined
}

const best = (points: readonly BudgetPoint[]): BudgetPoint =>
  points.reduce((a, b) => (b.summary.speedup! > a.summary.speedup! ? b : a))
