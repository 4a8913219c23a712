/** The figures of a report. */
import * as Plot from '@observablehq/plot'
import type { CompletedRun } from '../runs/run.ts'
import type { ModeSummary } from '../summary.ts'
import type { BudgetPoint } from './budget.ts'
import { figure } from './figure.ts'
import { livesOf } from './lives.ts'
import { phaseNames } from './phases.ts'
import type { Phases } from './phases.ts'
import type { Ablation, Value } from './settings.ts'
import type { Prediction } from './theory.ts'

/** Options whose values lie so far apart that their logarithm is drawn. */
const LOGARITHMIC = new Set(['concurrency', 'width', 'budget'])
/** Marks at one place stand beside each other, so far apart in pixels. */
const BESIDE = 5

/** Median speedup and its quartiles against an option, a line a mode. */
export function speedupFigure({ option, points }: Ablation): string {
  const rows = points.flatMap(({ value, setting }) =>
    Object.entries(setting.modes).flatMap(([mode, summary]) =>
      summary.speedup === null || mode === 'ar' ? [] : [rowOf(value, mode, summary)],
    ),
  )
  return lines(`Speedup against ${option}`, option, rows)
}

interface SpeedupRow {
  value: Value
  mode: string
  speedup: number
  low: number
  high: number
}

const rowOf = (value: Value, mode: string, { speedup, speedupQuartiles }: ModeSummary): SpeedupRow => ({
  value,
  mode,
  speedup: speedup!,
  low: speedupQuartiles![0],
  high: speedupQuartiles![1],
})

/** The best that each kind of mode reached under a budget of tokens in a forward of the target. */
export const budgetFigure = (points: readonly BudgetPoint[]): string =>
  lines(
    'Speedup against the parallel budget',
    'budget',
    points.map(({ budget, mode, summary }) => rowOf(budget, mode, summary)),
  )

function lines(title: string, option: string, rows: readonly SpeedupRow[]): string {
  const names = [...new Set(rows.map(({ mode }) => mode))]
  const values = [...new Set(rows.map(({ value }) => value))]
  const isNumeric = values.every((value) => typeof value === 'number')
  const beside = (mode: string) => BESIDE * (names.indexOf(mode) - (names.length - 1) / 2)
  const ofMode = (mode: string) => rows.filter((row) => row.mode === mode)
  return figure(title, names, {
    x: { ...scaleOf(option, values), label: option === 'budget' ? 'parallel budget M' : option },
    y: { label: 'speedup over plain decoding', zero: true, grid: true, nice: true },
    marks: [
      Plot.ruleY([1], { strokeDasharray: '4 4', strokeOpacity: 0.6 }),
      ...names.flatMap((mode) => [
        ...(isNumeric
          ? [Plot.line(ofMode(mode), { x: 'value', y: 'speedup', stroke: 'mode', strokeWidth: 2, dx: beside(mode) })]
          : []),
        Plot.ruleX(ofMode(mode), {
          x: 'value',
          y1: 'low',
          y2: 'high',
          stroke: 'mode',
          strokeOpacity: 0.7,
          dx: beside(mode),
        }),
        Plot.dot(ofMode(mode), { x: 'value', y: 'speedup', fill: 'mode', symbol: 'mode', r: 5, dx: beside(mode) }),
      ]),
    ],
  })
}

function scaleOf(option: string, values: readonly Value[]): Plot.ScaleOptions {
  if (!values.every((value) => typeof value === 'number')) return { type: 'point', padding: 0.5, domain: values }
  const ticks = { ticks: values, tickFormat: String, inset: 24 } as Plot.ScaleOptions
  return LOGARITHMIC.has(option) ? { type: 'log', base: 2, ...ticks } : ticks
}

/** Accuracy with its 95 % interval, a row a mode, a field a value of the option. */
export function accuracyFigure({ option, points }: Ablation): string {
  const rows = points.flatMap(({ value, setting }) =>
    Object.entries(setting.modes).map(([mode, { accuracy, accuracyInterval }]) => ({
      value: String(value),
      mode,
      accuracy: 100 * accuracy,
      low: 100 * accuracyInterval[0],
      high: 100 * accuracyInterval[1],
    })),
  )
  const names = [...new Set(rows.map(({ mode }) => mode))]
  return figure(`Accuracy against ${option}`, names, {
    height: 80 + points.length * (18 * names.length + 14),
    marginLeft: 110,
    x: { label: 'accuracy, %, with its 95 % interval', grid: true, nice: true },
    y: { axis: null, domain: names },
    fy: { label: null, axis: 'left', domain: points.map(({ value }) => String(value)) },
    marks: [
      Plot.ruleY(rows, { y: 'mode', fy: 'value', x1: 'low', x2: 'high', stroke: 'mode', strokeWidth: 2 }),
      Plot.dot(rows, { y: 'mode', fy: 'value', x: 'accuracy', fill: 'mode', symbol: 'mode', r: 5 }),
    ],
  })
}

/** Milliseconds an output token, a bar a mode. */
export function phasesFigure(phases: Readonly<Record<string, Phases>>): string {
  const rows = Object.entries(phases).flatMap(([mode, of]) =>
    phaseNames.map((phase) => ({ mode, phase, ms: of[phase] })),
  )
  const modes = Object.keys(phases)
  return figure('Where the time goes', phaseNames, {
    height: 110 + 34 * modes.length,
    marginLeft: 70,
    x: { label: 'ms an output token', grid: true },
    y: { label: null, domain: modes },
    marks: [
      Plot.barX(rows, {
        x: 'ms',
        y: 'mode',
        fill: 'phase',
        order: [...phaseNames],
        insetTop: 2,
        insetBottom: 2,
        insetRight: 1,
      }),
    ],
  })
}

/** One run, a row a step: from when it was drafted to the verdict. */
export function timelineFigure(run: CompletedRun): string {
  const lives = livesOf(run)
  const steps = new Set(lives.map(({ step }) => step)).size
  return figure(
    `What became of each step of ${run.problem} in ${run.mode}`,
    ['accepted', 'rejected', 'void', 'target'],
    {
      height: Math.min(900, 120 + 14 * steps),
      x: { label: 'ms after the request', grid: true, domain: [0, run.ms] },
      y: { label: 'step', reverse: true, tickFormat: (step: number) => (Number.isInteger(step) ? String(step) : '') },
      marks: [
        Plot.ruleY(lives, { y: 'step', x1: 'from', x2: 'to', stroke: 'fate', strokeWidth: 3, strokeOpacity: 0.6 }),
        Plot.dot(lives, { y: 'step', x: 'to', fill: 'fate', stroke: 'fate', symbol: 'fate', r: 4 }),
      ],
    },
  )
}

/** Measured speedups against those that the paper's formulas give; on the line both are the same. */
export function theoryFigure(predictions: readonly Prediction[]): string {
  const rows = predictions.flatMap(({ sync, async, measured }) => [
    { kind: 'synchronous', predicted: sync, measured },
    { kind: 'overlapped', predicted: async, measured },
  ])
  const most = Math.max(...rows.flatMap(({ predicted, measured }) => [predicted, measured])) * 1.05
  return figure('Measured speedup against predicted', ['synchronous', 'overlapped'], {
    x: { label: 'speedup by the formulas', domain: [0, most], grid: true },
    y: { label: 'speedup measured', domain: [0, most], grid: true },
    marks: [
      Plot.line(
        [
          [0, 0],
          [most, most],
        ],
        { strokeDasharray: '4 4', strokeOpacity: 0.6 },
      ),
      Plot.dot(rows, { x: 'predicted', y: 'measured', fill: 'kind', symbol: 'kind', r: 5, fillOpacity: 0.85 }),
    ],
  })
}
