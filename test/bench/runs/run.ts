/** One run of a benchmark, as a line of JSON: with all needed to compute everything else again. */
import { RunStats } from '@lookahead/sdk/protocol'
import * as v from 'valibot'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const option = v.union([v.string(), v.number(), v.boolean()])

/** What a run was made under, and may be compared by; apart from problem, mode and sample. */
export const Conditions = v.object({
  dataset: v.string(),
  /** Which draft, `near` or `far`; and as the next three: absent for a worker that was there already. */
  pair: v.optional(v.string()),
  /** Precision of the models' weights. */
  weights: v.optional(v.string()),
  /** Of the backend's forwards. */
  threads: v.optional(count),
  /** Milliseconds put between worker and backend. */
  rtt: v.optional(v.number()),
  /** The worker that was there already. */
  url: v.optional(v.string()),
  /** Without a worker: the cycle in the benchmark's own process, and there too the engine, or a backend that was there already. */
  inProcess: v.optional(v.boolean()),
  backend: v.optional(v.string()),
  device: v.optional(v.string()),
  models: v.optional(v.string()),
  /** Rates at which acceptance was drawn, as JSON. */
  forced: v.optional(v.string()),
  /** Clients at a time. */
  concurrency: count,
  temperature: v.optional(v.number()),
  maxTokens: count,
  depth: count,
  adaptive: v.boolean(),
  verifier: v.string(),
  /** Other options of lookahead, as flags name them. */
  lookahead: v.optional(v.record(v.string(), option)),
})
export type Conditions = v.InferOutput<typeof Conditions>

/** What an event said, `at` milliseconds after the request was sent. Steps as they came; of text only how much. */
export const TimedEvent = v.looseObject({
  at: v.number(),
  type: v.string(),
  step: v.optional(count),
  /** Of several drafted for one place, which; absent for the first. */
  alternative: v.optional(count),
  text: v.optional(v.string()),
  reason: v.optional(v.string()),
  /** Characters of text since. */
  length: v.optional(count),
})
export type TimedEvent = v.InferOutput<typeof TimedEvent>

const identity = {
  problem: v.string(),
  mode: v.string(),
  /** Which of the runs of this problem in this mode, from 0. */
  sample: count,
  seed: v.number(),
  conditions: Conditions,
  /** Processors and system, in words. */
  machine: v.string(),
  /** Time of day at the start, ISO 8601. */
  started: v.string(),
}

export const CompletedRun = v.object({
  ...identity,
  /** From sending the request to the terminal event. */
  ms: v.number(),
  tokens: count,
  finish: v.string(),
  text: v.string(),
  right: count,
  of: count,
  /** The worker's counters: steps, guesses, forwards, and milliseconds in each model. */
  stats: v.looseObject(RunStats.entries),
  timeline: v.array(TimedEvent),
})
export type CompletedRun = v.InferOutput<typeof CompletedRun>

export const FailedRun = v.object({
  ...identity,
  error: v.object({ code: v.string(), message: v.string() }),
})
export type FailedRun = v.InferOutput<typeof FailedRun>

export const Run = v.union([FailedRun, CompletedRun])
export type Run = v.InferOutput<typeof Run>

export type RunIdentity = Pick<Run, 'problem' | 'mode' | 'sample' | 'seed' | 'conditions'>

export const isFailed = (run: Run): run is FailedRun => 'error' in run

/** The same for runs that repeat each other. */
export const keyOf = ({ problem, mode, sample, seed, conditions }: RunIdentity): string =>
  JSON.stringify([problem, mode, sample, seed, conditionsKey(conditions)])

/** The same for equal conditions, in whatever order they are written. */
export const conditionsKey = (conditions: Conditions): string =>
  JSON.stringify(Object.entries(flat(conditions)).toSorted(([a], [b]) => a.localeCompare(b)))

export type FlatConditions = Record<string, string | number | boolean>

/** Conditions on one level: `lookahead.width` is `width`. */
export function flat({ lookahead, ...conditions }: Conditions): FlatConditions {
  const entries = Object.entries({ ...conditions, ...lookahead })
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string | number | boolean] => entry[1] !== undefined),
  )
}
