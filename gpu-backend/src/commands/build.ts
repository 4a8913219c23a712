import { stat } from 'node:fs/promises'
import path from 'node:path'
import { readDecoderConfig, weightFiles } from '../checkpoint/index.ts'
import { countParameters, precisionOf, storedGraph, type BuildProgress } from '../graph/index.ts'
import { slotBytes } from '../model/index.ts'
import { chooseDevice } from '../server/device.ts'
import { readDevice, readWeights, UsageError, weightsHelp } from '../usage.ts'
import { Tokenizer } from '../tokenizer/index.ts'
import { readArguments } from './arguments.ts'
import { interruptible } from './interrupt.ts'
import { formatBytes } from '../bytes.ts'
import { ProgressLine } from './progress.ts'

export const help = `lookahead build FOLDER [flags]

Builds a checkpoint's graph ahead of time, so that serving starts at once, and says what it takes. The graph is kept in
LOOKAHEAD_CACHE (default ~/.cache/lookahead) until one is built from files that have changed.

  --device DEVICE           where it is to run: cuda, cpu, or auto (cuda where it can be used) (default auto); what is
                            built for one does not serve the other
  --weights TYPE            how the linear layers are kept: ${weightsHelp}
  --memory MiB              for the keys and values of all tokens, to say how many fit; the models of a server
                            share it (default 1024)
  --help                    shows this
`

type Env = Record<string, string | undefined>

/** @throws UsageError, ModelError, Interrupted */
export async function run(args: string[], _env: Env): Promise<void> {
  const flags = {
    device: { type: 'string' },
    weights: { type: 'string' },
    memory: { type: 'string', default: '1024' },
  } as const
  const { values, argument: folder } = readArguments(args, 'the folder of a checkpoint', flags)
  const asked = readDevice(values.device)
  const weights = readWeights(values.weights)
  const memory = Number(values.memory)
  if (!Number.isInteger(memory) || memory < 1)
    throw new UsageError(`--memory must be a whole number of MiB, not "${values.memory}"`)

  const config = await readDecoderConfig(folder)
  // Refused now rather than when it is to be served.
  await Tokenizer.load(folder)
  // A graph for CUDA can be built where there is none.
  const device = asked === 'auto' ? (await chooseDevice(asked)).device : asked
  const precision = precisionOf(config, { device, weights })
  using line = new ProgressLine()
  const onProgress = (done: BuildProgress) =>
    line.draw(
      `${done.weights} of ${done.totalWeights} tensors, ${formatBytes(done.bytes)} of ${formatBytes(done.totalBytes)}`,
    )
  const file = await interruptible('starts over', (signal) =>
    storedGraph(folder, config, { ...precision, signal, onProgress }),
  )
  line.clear()

  const graph = path.dirname(file)
  const [stored, original] = await Promise.all([
    sizeOf([file, path.join(graph, 'weights.bin')]),
    sizeOf(await weightFiles(folder)),
  ])
  const slot = slotBytes(config, precision.activations)
  const { modelType, layers, hiddenSize, heads, kvHeads, vocabSize, maxPositions } = config
  const rows = {
    architecture: `${modelType}: ${layers} layers of width ${hiddenSize}, ${heads} heads (${kvHeads} for keys and values)`,
    tokens: `${vocabSize.toLocaleString('en')} in the vocabulary, ${maxPositions.toLocaleString('en')} in a context`,
    parameters: countParameters(config).toLocaleString('en'),
    'on disk': `${formatBytes(stored)} as ${precision.weights}; the checkpoint's weights are ${formatBytes(original)}`,
    graph: graph,
    computes: `in ${precision.activations}, on ${device === 'cuda' ? 'CUDA' : 'the CPU'}`,
    'a slot': `${formatBytes(slot)} for one token's keys and values`,
    slots: `${Math.floor((memory * 2 ** 20) / slot).toLocaleString('en')} in ${memory} MiB, if this model has them alone`,
  }
  for (const [name, value] of Object.entries(rows)) console.log(`${name.padEnd(14)}${value}`)
}

async function sizeOf(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}
