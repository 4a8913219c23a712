/** Where the time of plain decoding goes: operators of the graph, and JavaScript outside the forwards. */
import { Session as Inspector, type Profiler } from 'node:inspector/promises'
import path from 'node:path'
import { Engine } from '../src/engine/engine.ts'
import type { WeightType } from '../src/graph/index.ts'
import { decodePlainly } from './contenders/lookahead.ts'
import { tokensAfter } from './forwards.ts'
import { isNodeRun, traced } from './trace.ts'

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

/**
 * Time per operator of forwards of one token after 300. Profiling itself costs some microseconds an operator: shares mean
 * more than sums. `(between operators)` is the rest of the run.
 */
export async function operatorTimes({
  folder,
  weights,
  threads,
  tokens,
}: ProfileOptions & { folder: string }): Promise<ProfileRow[]> {
  const context = 300
  const events = await traced(folder, { slots: 1024, weights, threads }, async (model) => {
    await model.forward([tokensAfter(0, context)])
    for (let i = 0; i < tokens; i++) await model.forward([tokensAfter(context, 1)])
  })
  const runs = events.flatMap(({ name }, i) => (name === 'model_run' ? [i] : []))
  // A run's event follows those of its operators: everything up to the first is loading and the context's forward.
  const decoding = events.slice(runs[0]! + 1)
  const times = new Map<string, number>()
  let inOperators = 0
  let inRuns = 0
  for (const event of decoding) {
    if (event.name === 'model_run') inRuns += event.dur
    // An If counts as the nodes of its branch.
    if (!isNodeRun(event) || event.args.op_name === 'If') continue
    const operator = event.args.op_name!
    times.set(operator, (times.get(operator) ?? 0) + event.dur)
    inOperators += event.dur
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
