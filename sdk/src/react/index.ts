/**
 * Lookahead for React 18 and later: one hook that renders a run's steps as they come. Its peer is `react`.
 * @module
 */
export { useRun } from './use-run.ts'
export type { RunView, ShownStep } from './run-view.ts'
export type { UseRun, UseRunOptions } from './use-run.ts'
