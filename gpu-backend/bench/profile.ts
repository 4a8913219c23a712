/** Where the time of plain decoding goes: operators of the graph, and JavaScript outside the forwards. */
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { Session as Inspector, type Profiler } from 'node:inspector/promises'
import path from 'node:path'
import { setImmediate as immediate } from 'node:timers/promises'
import * as v from 'valibot'
import { Engine } from '../src/engine/engine.ts'
import type { WeightType } from '../src/graph/index.ts'
import { Model } from '../src/model/index.ts'
import { decodePlainly } from './contenders/lookahead.ts'
import { causalRow } from './forwards.ts'

export interface ProfileRow {
  name: string
  /** Microseconds a token, and the share of all rows. */
  microseconds: number
  share: number
}

/** ONNX Runtime's profile is a list of Chrome trace events, in microseconds. */
const traceSchema = v.array(
  v.looseObject({
    cat: v.string(),
    name: v.string(),
    dur: v.optional(v.number(), 0),
    args: v.optional(v.looseObject({ op_name: v.optional(v.string()) }), {}),
  }),
)

/** Microseconds between the samples of the JavaScript profile. */
const samplingInterval = 100

interface ProfileOptions {
  weights: WeightType
  threads: number
  tokens: number
}

/**
 * Time per operator of forwards of one token after 300. Profiling itself costs some microseconds an operator: shares mean
 * more than sums. `(between operators)` is the rest of the run.
 */
export async function operatorTimes(
  options: ProfileOptions & { folder: string; workFolder: string },
): Promise<ProfileRow[]> {
  const { folder, weights, threads, tokens, workFolder } = options
  const home = await mkdtemp(path.join(workFolder, 'profile-'))
  const context = 300
  const model = await Model.load(folder, { slots: 1024, weights, threads, profile: path.join(home, 'run') })
  try {
    await model.forward([causalRow(0, context)])
    for (let i = 0; i < tokens; i++) await model.forward([causalRow(context, 1)])
  } finally {
    model.close()
    // The file is written as the session closes, which is before the event loop's next turn: no forward is under way.
    await immediate()
  }
  const [file] = await readdir(home)
  if (!file) throw new Error('ONNX Runtime wrote no profile')
  const events = v.parse(traceSchema, JSON.parse(await readFile(path.join(home, file), 'utf8')))
  const runs = events.flatMap(({ name }, i) => (name === 'model_run' ? [i] : []))
  // A run's event follows those of its operators: everything up to the first is loading and the context's forward.
  const decoding = events.slice(runs[0]! + 1)
  const times = new Map<string, number>()
  let inOperators = 0
  let inRuns = 0
  for (const { cat, name, dur, args } of decoding) {
    if (name === 'model_run') inRuns += dur
    if (cat !== 'Node' || !name.endsWith('_kernel_time') || !args.op_name) continue
    times.set(args.op_name, (times.get(args.op_name) ?? 0) + dur)
    inOperators += dur
  }
  times.set('(between operators)', Math.max(inRuns - inOperators, 0))
  return ranked(times, tokens)
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
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  return [...times]
    .map(([name, time]) => ({ name, microseconds: time / tokens, share: time / total }))
    .toSorted((a, b) => b.microseconds - a.microseconds)
}
