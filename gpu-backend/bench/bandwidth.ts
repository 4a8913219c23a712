/** How fast this machine reads memory: the bound of plain decoding, which reads every weight once a token. */
/* oxlint-disable unicorn/require-post-message-target-origin -- threads have no origin */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { DecoderConfig } from '../src/checkpoint/index.ts'
import { decoderGraph, type Precision } from '../src/graph/index.ts'
import { elementBytes } from '../src/onnxruntime/index.ts'

/** Per thread; far more than the caches hold. */
const bufferBytes = 256 * 2 ** 20

/** The fastest of several passes in which all threads read their own buffers at once. In bytes a second. */
export async function readBandwidth(threads: number, passes: number): Promise<number> {
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('./bandwidth-thread.ts', import.meta.url), { workerData: bufferBytes }),
  )
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    let fastest = 0
    for (let pass = 0; pass < passes; pass++) {
      const started = performance.now()
      await Promise.all(
        workers.map((worker) => {
          const read = once(worker, 'message')
          worker.postMessage('read')
          return read
        }),
      )
      fastest = Math.max(fastest, (1000 * threads * bufferBytes) / (performance.now() - started))
    }
    return fastest
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

/**
 * Bytes of weights that one forward reads: as they are computed with, not as they lie in the file. Looked-up tables, the
 * embedding and the rotations, are not read whole.
 */
export function weightBytes(config: DecoderConfig, precision: Precision): number {
  const initializers = decoderGraph(config, precision).weights.flatMap((weight) => weight.initializers)
  const lookedUp = (name: string) =>
    name.startsWith('rotary.') ||
    (name === 'model.embed_tokens.weight' && (precision.weights.startsWith('int') || !config.tiedEmbeddings))
  return initializers
    .filter(({ name }) => !lookedUp(name))
    .reduce((sum, { type, shape }) => {
      const bytes = elementBytes[type === 'uint8' ? type : precision.activations]
      return sum + shape.reduce((n, size) => n * size, bytes)
    }, 0)
}
