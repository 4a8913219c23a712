import { stat } from 'node:fs/promises'
import path from 'node:path'
import { readDecoderConfig, weightFiles } from '../checkpoint/index.ts'
import { countParameters, precisionOf, storedGraph, type BuildProgress, type WeightType } from '../graph/index.ts'
import { slotBytes } from '../model/index.ts'
import type { Device } from '../onnxruntime/index.ts'
import { chooseDevice } from '../server/device.ts'
import { Tokenizer } from '../tokenizer/index.ts'
import { interruptible } from './interrupt.ts'
import { formatBytes } from '../bytes.ts'
import { ProgressLine } from './progress.ts'

export interface BuildFlags {
  device: Device | 'auto'
  weights?: WeightType | undefined
  /** MiB. */
  memory: number
}

/** @throws UsageError, ModelError, Interrupted */
export async function run(folder: string, { device: asked, weights, memory }: BuildFlags): Promise<void> {
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
