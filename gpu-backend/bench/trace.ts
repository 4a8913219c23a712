/** ONNX Runtime's profile of a model's forwards. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate as immediate } from 'node:timers/promises'
import * as v from 'valibot'
import { Model, type ModelOptions } from '../src/model/index.ts'

/** The profile is a list of Chrome trace events, in microseconds. */
const traceSchema = v.array(
  v.object({
    cat: v.string(),
    name: v.string(),
    dur: v.optional(v.number(), 0),
    args: v.optional(v.object({ op_name: v.optional(v.string()), provider: v.optional(v.string()) }), {}),
  }),
)
export type TraceEvent = v.InferOutput<typeof traceSchema>[number]

/** The events of loading the checkpoint and of what `run` does with the model; a run's event follows those of its nodes. */
export async function traced(
  folder: string,
  options: ModelOptions,
  run: (model: Model) => Promise<void>,
): Promise<TraceEvent[]> {
  const home = await mkdtemp(path.join(tmpdir(), 'lookahead-profile-'))
  try {
    const model = await Model.load(folder, { ...options, profile: path.join(home, 'run') })
    try {
      await run(model)
    } finally {
      model.close()
      // The file is written as the session closes, which is before the event loop's next turn: no forward is under way.
      await immediate()
    }
    const [file] = await readdir(home)
    if (!file) throw new Error('ONNX Runtime wrote no profile')
    return v.parse(traceSchema, JSON.parse(await readFile(path.join(home, file), 'utf8')))
  } finally {
    await rm(home, { recursive: true })
  }
}

/** Whether an event is one run of one node. */
export const isNodeRun = ({ cat, name, args }: TraceEvent): boolean =>
  cat === 'Node' && name.endsWith('_kernel_time') && args.op_name !== undefined
