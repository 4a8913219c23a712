/** Runs by what they were made under. */
import { modes as knownModes } from '@lookahead/sdk/protocol'
import { conditionsKey, flat } from '../runs/run.ts'
import type { FlatConditions, Run } from '../runs/run.ts'
import { summarizeModes } from '../summary.ts'
import type { ModeSummary } from '../summary.ts'

/** Runs under the same conditions, and what they come to by mode. */
export interface Setting {
  conditions: FlatConditions
  runs: readonly Run[]
  modes: Record<string, ModeSummary>
}

export type Value = FlatConditions[string]

export function settingsOf(runs: readonly Run[]): Setting[] {
  return [...Map.groupBy(runs, (run) => conditionsKey(run.conditions)).values()].map((group) => ({
    conditions: flat(group[0]!.conditions),
    runs: group,
    modes: summarizeModes(group, modesOf(group)),
  }))
}

/** In the protocol's order, others after them. */
function modesOf(runs: readonly Run[]): string[] {
  const seen = [...new Set(runs.map((run) => run.mode))]
  return [...knownModes.filter((mode) => seen.includes(mode)), ...seen.filter((mode) => !isKnown(mode))]
}

const isKnown = (mode: string): boolean => (knownModes as readonly string[]).includes(mode)

/** Settings that differ in one option only. */
export interface Ablation {
  option: string
  /** What all of them have in common. */
  shared: FlatConditions
  /** By their value of the option, rising; at least two. */
  points: { value: Value; setting: Setting }[]
}

/** Of every option, the settings between which it alone makes the difference. */
export function ablations(settings: readonly Setting[]): Ablation[] {
  const options = new Set(settings.flatMap(({ conditions }) => Object.keys(conditions)))
  return [...options].flatMap((option) => ablationsOf(option, settings))
}

function ablationsOf(option: string, settings: readonly Setting[]): Ablation[] {
  const having = settings.filter(({ conditions }) => option in conditions)
  const groups = Map.groupBy(having, ({ conditions }) => JSON.stringify(sorted(without(conditions, option))))
  return [...groups.values()].flatMap((group) => {
    const points = group
      .map((setting) => ({ value: setting.conditions[option]!, setting }))
      .toSorted((a, b) => (typeof a.value === 'number' && typeof b.value === 'number' ? a.value - b.value : 0))
    return points.length < 2 ? [] : [{ option, shared: without(group[0]!.conditions, option), points }]
  })
}

export const without = (conditions: FlatConditions, option: string): FlatConditions =>
  Object.fromEntries(Object.entries(conditions).filter(([name]) => name !== option))

const sorted = (conditions: FlatConditions) => Object.entries(conditions).toSorted(([a], [b]) => a.localeCompare(b))

/** Options in which settings differ, and the values that the others have in all. */
export function split(settings: readonly Setting[]): { varying: string[]; shared: FlatConditions } {
  const options = [...new Set(settings.flatMap(({ conditions }) => Object.keys(conditions)))]
  const varies = (option: string) => new Set(settings.map(({ conditions }) => conditions[option])).size > 1
  const varying = options.filter(varies)
  const shared = Object.fromEntries(
    options.filter((option) => !varies(option)).map((option) => [option, settings[0]!.conditions[option]!]),
  )
  return { varying, shared }
}
