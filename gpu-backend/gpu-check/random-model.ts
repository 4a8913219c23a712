import { existsSync } from 'node:fs'
import { cp, mkdir, open, statfs, writeFile, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { ModelError, readDecoderConfig } from '../src/checkpoint/index.ts'
import { formatBytes } from '../src/bytes.ts'
import { weightsFile, type Graph, type Weight } from '../src/graph/builder.ts'
import { decoderGraph } from '../src/graph/decoder.ts'
import { isReduced, precisionOf, type PrecisionOptions } from '../src/graph/index.ts'
import { graphHome } from '../src/graph/cache.ts'
import { isIntact, modelFile, writeChecksums } from '../src/graph/checksums.ts'
import type { shapes } from './shapes.ts'

const tokenizer = path.join(import.meta.dirname, '../fixtures/tiny-qwen3')

const checkpointFile = 'model.safetensors'

/** Elements of the random numbers that a weight repeats. */
const tileElements = 2 ** 20

/** As Qwen3 is published: of noise the likeliest tokens are drawn, as of any text. Nothing ends a text. */
const generation = { do_sample: true, temperature: 0.6, top_k: 20, top_p: 0.95 }

/**
 * Writes a checkpoint whose weights are all zero into `folder` (a sparse file), and into the cache the graph that would be built
 * from it, its weights the same random numbers over and over: what such a model says is noise, what it costs is not. What is
 * there already stays.
 *
 * @param cacheDir default: that of all graphs
 * @returns bytes of the graph
 * @throws ModelError if the disk has too little room; the signal's reason if it was aborted
 */
export async function writeRandomModel(
  folder: string,
  cacheDir: string | undefined,
  shape: (typeof shapes)[keyof typeof shapes],
  options: PrecisionOptions,
  signal: AbortSignal,
): Promise<number> {
  const isThere = existsSync(path.join(folder, checkpointFile))
  if (!isThere) {
    await mkdir(folder, { recursive: true })
    for (const file of ['tokenizer.json', 'chat_template.jinja'])
      await cp(path.join(tokenizer, file), path.join(folder, file))
    await writeFile(path.join(folder, 'tokenizer_config.json'), '{}')
    await writeFile(path.join(folder, 'config.json'), JSON.stringify(shape))
    await writeFile(path.join(folder, 'generation_config.json'), JSON.stringify(generation))
  }
  const config = await readDecoderConfig(folder)
  const precision = precisionOf(config, options)
  const reduced = isReduced(config.vocabSize)
  const graph = decoderGraph(config, precision, reduced)
  if (!isThere) await writeZeros(path.join(folder, checkpointFile), graph)
  const home = await graphHome(folder, precision, reduced ? 'reduced' : undefined, cacheDir)
  if (await isIntact(home, signal)) return graph.weightsBytes
  await mkdir(home, { recursive: true })
  const { bavail, bsize } = await statfs(home)
  if (bavail * bsize < graph.weightsBytes)
    throw new ModelError(
      'unwritable',
      `${formatBytes(graph.weightsBytes)} are needed in ${folder}, ${formatBytes(bavail * bsize)} are free: set TMPDIR`,
    )
  await using file = await open(path.join(home, weightsFile), 'w')
  await file.truncate(graph.weightsBytes)
  const uniform = uniformNumbers(tileElements)
  for (const weight of graph.weights) {
    signal.throwIfAborted()
    await writeTiled(file, weight, uniform)
  }
  await writeFile(path.join(home, modelFile), graph.model)
  await writeChecksums(home, signal)
  return graph.weightsBytes
}

/** A safetensors file of the graph's tensors that takes no room on the disk. */
async function writeZeros(checkpoint: string, { weights }: Graph): Promise<void> {
  const parts = weights.flatMap(({ source }) => (typeof source === 'function' ? [] : source))
  let end = 0
  const header: Record<string, object> = {}
  for (const { name, shape } of parts) {
    if (name in header) continue
    const from = end
    end += shape.reduce((product, size) => product * size, 2)
    header[name] = { dtype: 'BF16', shape, data_offsets: [from, end] }
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  await using file = await open(checkpoint, 'w')
  await file.write(BigUint64Array.of(BigInt(text.length)))
  await file.write(text)
  await file.truncate(8 + text.length + end)
}

/**
 * Encodes one tile of whole rows, and writes it until every initializer is full. Each turn leaves the last element out, so that no
 * two rows are the same: tokens with equal rows of the head would be equally likely, and many of them the likeliest.
 */
async function writeTiled(file: FileHandle, weight: Weight, uniform: Float32Array): Promise<void> {
  const ends = weight.initializers.map(({ offset, bytes }) => offset + bytes)
  for (const [i, tile] of weight.encode(tileOf(weight, uniform)).entries()) {
    const whole = tile.byteLength >= weight.initializers[i]!.bytes
    const length = whole ? tile.byteLength : tile.byteLength - tile.BYTES_PER_ELEMENT
    const bytes = new Uint8Array(tile.buffer, tile.byteOffset, length)
    for (let at = weight.initializers[i]!.offset; at < ends[i]!;)
      at += (await file.write(bytes, 0, Math.min(bytes.length, ends[i]! - at), at)).bytesWritten
  }
}

/** Uniform numbers of variance 1 / inputs keep activations at their size; norms are all ones, biases all zeros. */
function tileOf({ source }: Weight, uniform: Float32Array): Float32Array {
  if (typeof source === 'function') {
    const [first] = source()
    return first!
  }
  const { name, shape } = source[0]!
  const [rows, inputs] = shape
  if (inputs === undefined) return new Float32Array(rows!).fill(name.endsWith('bias') ? 0 : 1)
  const whole = Math.min(rows!, Math.max(Math.floor(tileElements / inputs), 1))
  const width = Math.sqrt(12 / inputs)
  return Float32Array.from({ length: whole * inputs }, (_, i) => width * (uniform[i % uniform.length]! - 0.5))
}

/** From 0 to 1, the same at every call. */
function uniformNumbers(count: number): Float32Array {
  let state = 1
  return Float32Array.from({ length: count }, () => (state = (state * 48271) % 2147483647) / 2147483647)
}
