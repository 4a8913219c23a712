/** What runs come to: Markdown, and the figures that it shows. */
import { isFailed } from '../runs/run.ts'
import type { CompletedRun, Run } from '../runs/run.ts'
import { budgetPoints } from './budget.ts'
import { accuracyFigure, budgetFigure, phasesFigure, speedupFigure, theoryFigure, timelineFigure } from './figures.ts'
import {
  autoTable,
  described,
  figureLine,
  intro,
  phasesTable,
  resultsTable,
  theoryTable,
  verdictsTable,
} from './markdown.ts'
import { phasesOf } from './phases.ts'
import type { Phases } from './phases.ts'
import { ablations, settingsOf } from './settings.ts'
import type { Ablation, Setting } from './settings.ts'
import { predictions } from './theory.ts'

export interface Report {
  markdown: string
  /** SVG, by file name. */
  figures: Record<string, string>
}

export interface ReportOptions {
  title: string
  /** Begins the figures' file names. */
  name: string
  /** Further paragraphs after the title: how the runs were made, what is missing. */
  notes?: readonly string[] | undefined
}

/** Options that are no way of doing the same thing. */
const NOT_COMPARED = new Set(['dataset', 'maxTokens', 'url', 'temperature'])
/** Options whose ablation asks for accuracy, as the paper's table 2 does. */
const COMPARED_BY_ACCURACY = new Set(['verifier', 'width', 'pair', 'weights'])

interface Section {
  heading: string
  text: string
}

/** @param runs at least one */
export function reportOn(runs: readonly Run[], { title, name, notes = [] }: ReportOptions): Report {
  const figures: Report['figures'] = {}
  const draw = (what: string, svg: string, alt: string, caption = '') => {
    const file = uniqueName(`${name}-${what}`, figures)
    figures[file] = svg
    return figureLine(file, alt, caption)
  }
  const settings = settingsOf(runs)
  const compared = ablations(settings).filter(({ option }) => !NOT_COMPARED.has(option))
  const sections: Section[] = [
    { heading: 'Results', text: resultsTable(settings) },
    autoSection(settings),
    ...compared.map((ablation) => ablationSection(ablation, draw)),
    ...budgetSection(settings, draw),
    ...theorySection(settings, draw),
    phasesSection(settings, draw),
    { heading: 'Verdicts', text: verdictsTable(settings) },
    ...timelineSection(settings, draw),
  ]
  const head = [`# ${title}`, ...notes, intro(runs, settings), WORDS]
  const body = sections.filter(({ text }) => text !== '').map(({ heading, text }) => `## ${heading}\n\n${text}`)
  return {
    markdown: `${[...head, ...body]
      .join('\n\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim()}\n`,
    figures,
  }
}

type Draw = (what: string, svg: string, alt: string, caption?: string) => string

const WORDS =
  'Speedup is tokens/s over those of `ar` (plain decoding) on the same problem under the same conditions: median, and quartiles. "Of total time" counts that a mode may write more or fewer tokens. Accuracy has Wilson\'s interval of 95 %.'

function uniqueName(base: string, taken: object): string {
  for (let n = 1; ; n++) {
    const file = `${base}${n === 1 ? '' : `-${n}`}.svg`
    if (!(file in taken)) return file
  }
}

function autoSection(settings: readonly Setting[]): Section {
  const rows = autoTable(settings)
  const text =
    'Tokens/s of `auto` over those of each fixed mode on the same problem: median (quartiles), then all tokens over the time in which any client ran.'
  return { heading: '`auto` against fixed modes', text: rows && `${text}\n\n${rows}` }
}

function ablationSection(ablation: Ablation, draw: Draw): Section {
  const { option, shared, points } = ablation
  const caption = `With ${described(shared)}.`
  const hasSpeedup = points.some(({ setting }) =>
    Object.entries(setting.modes).some(([mode, { speedup }]) => mode !== 'ar' && speedup !== null),
  )
  const figures = [
    ...(hasSpeedup ? [draw(`speedup-${option}`, speedupFigure(ablation), `Speedup against ${option}`, caption)] : []),
    ...(COMPARED_BY_ACCURACY.has(option)
      ? [draw(`accuracy-${option}`, accuracyFigure(ablation), `Accuracy against ${option}`, caption)]
      : []),
  ]
  return { heading: `By ${option}`, text: figures.join('\n') }
}

function budgetSection(settings: readonly Setting[], draw: Draw): Section[] {
  const points = budgetPoints(settings)
  // One mode alone is not to be compared: its figure is that of its option.
  if (new Set(points.map(({ mode }) => mode)).size < 2) return []
  const svg = budgetFigure(points)
  return [
    {
      heading: 'By parallel budget',
      text: draw(
        'speedup-budget',
        svg,
        'Speedup against the parallel budget',
        'M is the tokens in a forward of the target: steps under way times tokens of each. The best within each budget.',
      ),
    },
  ]
}

function theorySection(settings: readonly Setting[], draw: Draw): Section[] {
  const all = predictions(settings)
  if (all.length === 0) return []
  const text =
    'α1 and c1 are measured; the formulas (theorems 1 and 2) know no wire, no judge, and forwards that cost the same whatever is in them. `lr+sd`: times what `sd` gained.'
  const svg = theoryFigure(all)
  return [
    {
      heading: 'Measured against theory',
      text: `${text}\n\n${draw('theory', svg, 'Measured speedup against predicted')}\n${theoryTable(all)}`,
    },
  ]
}

/** The figure is of the setting with most runs, the last of several. */
function phasesSection(settings: readonly Setting[], draw: Draw): Section {
  const main = mainOf(settings)
  const phases = Object.keys(main.modes).flatMap((mode): [string, Phases][] => {
    const of = phasesOf(main.runs.filter((run) => run.mode === mode))
    return of ? [[mode, of]] : []
  })
  const text =
    'Milliseconds an output token. Draft, verify and judge are the time until the scores of that model were there; idle is what the worker spent besides, on the way to the backend and back or waiting; wire is between client and worker; overlap is what the models took side by side.'
  if (phases.length === 0) return { heading: 'Where the time goes', text: '' }
  const svg = phasesFigure(Object.fromEntries(phases))
  const caption = settings.length > 1 ? `With ${described(main.conditions)}.` : ''
  return {
    heading: 'Where the time goes',
    text: `${text}\n\n${draw('phases', svg, 'Milliseconds an output token by mode', caption)}\n${phasesTable(settings)}`,
  }
}

const mainOf = (settings: readonly Setting[]): Setting =>
  settings.reduce((a, b) => (b.runs.length >= a.runs.length ? b : a))

/** Of the runs with most steps decided by verdicts, the one whose time is in the middle. */
function timelineSection(settings: readonly Setting[], draw: Draw): Section[] {
  const { runs, conditions } = mainOf(settings)
  const candidates = ['auto', 'lr+sd', 'lr'].map((mode) =>
    runs.filter(
      (run): run is CompletedRun =>
        run.mode === mode && !isFailed(run) && run.timeline.some(({ reason }) => reason !== undefined),
    ),
  )
  const some = candidates.find((of) => of.length > 0)?.toSorted((a, b) => a.ms - b.ms)
  const run = some?.[Math.floor(some.length / 2)]
  if (!run) return []
  const caption = `\`${run.mode}\` on ${run.problem}, ${described(conditions)}. Each line is a drafted step from when it came to its verdict; a diamond is a step of the target's own, and grey what was drafted for nothing.`
  return [
    { heading: 'One run', text: draw('timeline', timelineFigure(run), 'What became of each step of one run', caption) },
  ]
}
