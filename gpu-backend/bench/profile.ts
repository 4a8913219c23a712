/** Where the time goes: operators of the graph in a forward, and JavaScript outside the forwards in plain decoding. */
import { Session as Inspector, type Profiler } from 'node:inspector/promises'
import path from 'node:path'
import { Engine } from '../src/engine/engine.ts'
import type { WeightType } from '../src/graph/index.ts'
import { decodePlainly } from './contenders/lookahead.ts'
import { tokensAfter } from './forwards.ts'
import { isNodeRun, traced } from './trace.ts'
import type { TraceEvent } from './trace.ts'

export interface ProfileRow {
  name: string
  /** Microseconds a token, and the share of all rows. */
  microseconds: number
  share: number
}

/** Microseconds between the samples of the JavaScript profile. */
const samplingInterval = 100

interface ProfileOptions {
  weights: WeightType
  threads: number
  tokens: number
}

/** What takes time in a forward. */
export interface OperatorRow {
  name: string
  /** In a forward of each of `profiledSizes`. */
  parts: { microseconds: number; share: number }[]
}

/** New tokens of the forwards that are profiled, and tokens before them. */
export const profiledSizes = [1, 16]
const context = 300

/** Forwards of each size that do not count. */
const warmUp = 1

/** Operators with a row of their own; one row is for the others, one for the rest of the run. */
const namedOperators = 9
const outsideOperators = 'outside operators'

/**
 * Time per operator of forwards of each size. Profiling itself costs some microseconds an operator: shares mean more than
 * sums, and add up to 1. The last rows are the other operators' and that of the run outside operators.
 * @param options `rounds`: forwards of each size
 */
export async function operatorTimes(
  options: Omit<ProfileOptions, 'tokens'> & { folder: string; rounds: number },
): Promise<OperatorRow[]> {
  const { folder, weights, threads, rounds } = options
  const events = await traced(folder, { slots: 1024, weights, threads }, async (model) => {
    await model.forward([tokensAfter(0, context)])
    for (const tokens of profiledSizes)
      for (let i = 0; i < warmUp + rounds; i++) await model.forward([tokensAfter(context, tokens)])
  })
  // Before these is the context's run.
  const runs = runsOf(events).slice(1)
  const times = profiledSizes.map((_, i) => {
    const end = (i + 1) * (warmUp + rounds)
    return timesOf(runs.slice(end - rounds, end))
  })
  const row = (name: string, names = [name]): OperatorRow => ({
    name,
    parts: times.map((time) => part(time, names, rounds)),
  })
  const operators = [...new Set(times.flatMap((time) => [...time.keys()]))].filter((name) => name !== outsideOperators)
  const ranking = operators.toSorted((a, b) => greatestShare(row(b)) - greatestShare(row(a)))
  return [
    ...ranking.slice(0, namedOperators).map((name) => row(name)),
    row('other', ranking.slice(namedOperators)),
    row(outsideOperators),
  ]
}

const greatestShare = ({ parts }: OperatorRow): number => Math.max(...parts.map(({ share }) => share))

/** @param rounds forwards that the times are of */
function part(
  times: ReadonlyMap<string, number>,
  names: readonly string[],
  rounds: number,
): OperatorRow['parts'][number] {
  const time = sum(names.map((name) => times.get(name) ?? 0))
  return { microseconds: time / rounds, share: time / sum([...times.values()]) }
}

/** The events of each run: its own comes last. */
function runsOf(events: readonly TraceEvent[]): TraceEvent[][] {
  const ends = events.flatMap(({ name }, i) => (name === 'model_run' ? [i + 1] : []))
  return ends.map((end, i) => events.slice(ends[i - 1] ?? 0, end))
}

/** Microseconds of each operator in these runs, and of the rest of them. */
function timesOf(runs: readonly TraceEvent[][]): Map<string, number> {
  const times = new Map<string, number>()
  // An If counts as the nodes of its branch.
  for (const event of runs.flat().filter((it) => isNodeRun(it) && it.args.op_name !== 'If'))
    times.set(event.args.op_name!, (times.get(event.args.op_name!) ?? 0) + event.dur)
  const whole = sum(runs.map((run) => run.at(-1)!.dur))
  return times.set(outsideOperators, Math.max(whole - sum([...times.values()]), 0))
}

export interface ScriptProfile {
  /** Microseconds a token outside the forwards, as the engine itself times them. */
  outsideForwards: number
  /** Self time by function; `(idle)` waits for forwards on another thread. Needs a core that the forwards leave free. */
  functions: ProfileRow[]
}

/** The engine's own JavaScript while it decodes the prompts plainly, one after another. */
export async function scriptTimes(
  options: ProfileOptions & { models: string; prompts: readonly string[] },
): Promise<ScriptProfile> {
  const { models, weights, threads, tokens, prompts } = options
  const engine = await Engine.load({ models, weights, threads, slots: 4096 })
  const inspector = new Inspector()
  try {
    await decodePlainly(engine, prompts[0]!, tokens)
    inspector.connect()
    await inspector.post('Profiler.enable')
    await inspector.post('Profiler.setSamplingInterval', { interval: samplingInterval })
    await inspector.post('Profiler.start')
    let [outside, count] = [0, 0]
    for (const prompt of prompts) {
      const output = await decodePlainly(engine, prompt, tokens)
      outside += output.total - output.forwards
      count += output.tokens.length
    }
    const { profile } = await inspector.post('Profiler.stop')
    return { outsideForwards: (1000 * outside) / count, functions: ranked(selfTimes(profile), count) }
  } finally {
    inspector.disconnect()
    engine.close()
  }
}

function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Map<string, number> {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url } }) => [
      id,
      url ? `${functionName || '(anonymous)'} ${path.basename(url)}` : functionName || '(native)',
    ]),
  )
  const times = new Map<string, number>()
  for (const [i, sample] of samples.entries()) {
    const name = names.get(sample)!
    if (name.endsWith('node:inspector')) continue
    times.set(name, (times.get(name) ?? 0) + timeDeltas[i]!)
  }
  return times
}

function ranked(times: ReadonlyMap<string, number>, tokens: number): ProfileRow[] {
  const total = sum([...times.values()])
  return [...times]
    .map(([name, time]) => ({ name, microseconds: time / tokens, share: time / total }))
    .toSorted((a, b) => b.microseconds - a.microseconds)
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
