import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { Checkpoint, ModelError, type DecoderConfig, type EncoderConfig } from '../checkpoint/index.ts'
import { weightsFile, type Graph, type Weight } from './builder.ts'
import { graphHome, removeSuperseded } from './cache.ts'
import { isIntact, modelFile, writeChecksums } from './checksums.ts'
import { decoderGraph } from './decoder.ts'
import { encoderGraph } from './encoder.ts'
import { precisionOf, type PrecisionOptions } from './precision.ts'
import { isReduced } from './reduction.ts'

export interface StoreOptions extends PrecisionOptions {
  /** Whether the graph reduces its logits. Defaults to what pays for the vocabulary's size. */
  reduced?: boolean | undefined
  /** Defaults to `$LOOKAHEAD_CACHE`, else `~/.cache/lookahead`. */
  cacheDir?: string | undefined
  signal?: AbortSignal | undefined
  /** Is told how far a graph that has to be built is. */
  onProgress?: ((progress: BuildProgress) => void) | undefined
}

/** What has been written so far, and will be in the end. */
export interface BuildProgress {
  weights: number
  totalWeights: number
  bytes: number
  totalBytes: number
}

type BuildOptions = Pick<StoreOptions, 'signal' | 'onProgress'>

/**
 * The path of a checkpoint's graph as an .onnx file, with its weights beside it; built at the first call and kept on disk
 * until one is built from files that have changed. One whose files were damaged since is built anew.
 *
 * @throws ModelError if the checkpoint is broken or lacks a weight, or the graph cannot be written; the signal's reason if
 * it was aborted
 */
export async function storedGraph(folder: string, config: DecoderConfig, options: StoreOptions = {}): Promise<string> {
  const precision = precisionOf(config, options)
  const reduced = options.reduced ?? isReduced(config.vocabSize)
  const home = await graphHome(folder, precision, reduced ? 'reduced' : undefined, options.cacheDir)
  return stored(folder, home, () => decoderGraph(config, precision, reduced), options)
}

/** The same for an encoder. @throws as `storedGraph` */
export async function storedEncoderGraph(
  folder: string,
  config: EncoderConfig,
  options: Omit<StoreOptions, 'reduced'> = {},
): Promise<string> {
  const precision = precisionOf(config, options)
  const home = await graphHome(folder, precision, 'encoder', options.cacheDir)
  return stored(folder, home, () => encoderGraph(config, precision), options)
}

async function stored(folder: string, home: string, build: () => Graph, options: BuildOptions): Promise<string> {
  if ((await exists(home)) && !(await isIntact(home, options.signal))) {
    console.error(`${home} is damaged, or older than its checksums: it is built anew`)
    await remove(home)
  }
  if (!(await exists(home))) {
    await writeGraph(folder, build(), home, options)
    // What cannot be removed now will be after the next build.
    await removeSuperseded(home).catch(() => undefined)
  }
  return path.join(home, modelFile)
}

/** Before anything is built or loaded. @throws ModelError if the checkpoint lacks a weight, or has one of an unsupported type */
export async function assertBuildable(folder: string, config: DecoderConfig, options: PrecisionOptions): Promise<void> {
  await using checkpoint = await Checkpoint.open(folder)
  assertTensors(checkpoint, decoderGraph(config, precisionOf(config, options), isReduced(config.vocabSize)))
}

/** The same for an encoder. @throws as `assertBuildable` */
export async function assertEncoderBuildable(folder: string, config: EncoderConfig): Promise<void> {
  await using checkpoint = await Checkpoint.open(folder)
  assertTensors(checkpoint, encoderGraph(config))
}

function assertTensors(checkpoint: Checkpoint, { weights }: Graph): void {
  for (const { source } of weights)
    if (typeof source !== 'function') for (const { name, shape } of source) checkpoint.assertTensor(name, shape)
}

/**
 * Writes a graph over a checkpoint's weights as `home`/model.onnx, with its weights beside it: into a folder of its own,
 * which is then renamed, so that no reader ever sees a part of a graph.
 *
 * @throws as storedGraph does
 */
export async function writeGraph(
  folder: string,
  graph: Graph,
  home: string,
  options: BuildOptions = {},
): Promise<void> {
  const draft = `${home}.${randomUUID()}`
  try {
    await mkdir(draft, { recursive: true })
    await using checkpoint = await Checkpoint.open(folder)
    assertTensors(checkpoint, graph)
    await using file = await open(path.join(draft, weightsFile), 'w')
    await file.truncate(graph.weightsBytes)
    const [totalWeights, totalBytes] = [graph.weights.length, graph.weightsBytes]
    let bytes = 0
    for (const [weights, weight] of graph.weights.entries())
      for await (const written of writeWeight(file, weight, checkpoint)) {
        options.signal?.throwIfAborted()
        bytes += written
        options.onProgress?.({ weights, totalWeights, bytes, totalBytes })
      }
    options.onProgress?.({ weights: totalWeights, totalWeights, bytes: totalBytes, totalBytes })
    await file.sync()
    await writeFile(path.join(draft, modelFile), graph.model, { flush: true })
    await writeChecksums(draft, options.signal)
    await rename(draft, home).catch(async (error: unknown) => {
      // Another process may have stored the same graph in the meantime.
      if (!(await exists(home))) throw error
    })
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause
    const advice = 'free some space, or set LOOKAHEAD_CACHE to a folder that can be written'
    throw new ModelError('unwritable', `${home} cannot be written (${cause.message}): ${advice}`, { cause })
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** Writes a weight piece by piece, and yields each piece's bytes. */
async function* writeWeight(file: FileHandle, weight: Weight, checkpoint: Checkpoint): AsyncGenerator<number> {
  const ends = weight.initializers.map(({ offset }) => offset)
  /** Appends to each initializer what it is to hold of these rows. */
  const append = async (elements: Float32Array): Promise<number> => {
    let written = 0
    for (const [i, array] of weight.encode(elements).entries()) {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
      await writeBytes(file, bytes, ends[i]!)
      ends[i]! += bytes.byteLength
      written += bytes.byteLength
    }
    return written
  }
  if (typeof weight.source === 'function') for (const piece of weight.source()) yield await append(piece)
  else
    for (const { name, shape, rows } of weight.source)
      for await (const piece of checkpoint.pieces(name, shape, rows)) yield await append(piece)
}

async function writeBytes(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;)
    done += (await file.write(bytes, done, bytes.byteLength - done, at + done)).bytesWritten
}

/** At once for all who look for it, and then for good. Who has it open goes on with it. */
async function remove(home: string): Promise<void> {
  const removed = `${home}.${randomUUID()}`
  try {
    await rename(home, removed)
    await rm(removed, { recursive: true, force: true })
  } catch (cause) {
    // Another process may have found it out in the meantime.
    if (!(await exists(home))) return
    const reason = (cause as Error).message
    throw new ModelError('unwritable', `${home} is damaged and cannot be removed (${reason}): delete it`, { cause })
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined
}
