import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import * as v from 'valibot'
import { readJsonIfAny } from '../checkpoint/index.ts'
import { weightsFile } from './builder.ts'

/** Beside the two. */
const checksumsFile = 'checksums.json'

/** The graph's file, beside `weightsFile`. */
export const modelFile = 'model.onnx'

const Checksum = v.object({
  sha256: v.string(),
  /** When the file was found to be so: as long as it has not changed since, it is not read again. */
  size: v.number(),
  mtimeMs: v.number(),
  ctimeMs: v.number(),
})
type Checksum = v.InferOutput<typeof Checksum>
const Checksums = v.object({ [modelFile]: Checksum, [weightsFile]: Checksum })
type Checksums = v.InferOutput<typeof Checksums>

/** Writes down what a stored graph's files are. @throws the signal's reason */
export async function writeChecksums(home: string, signal?: AbortSignal): Promise<void> {
  const checksums: Checksums = {
    [modelFile]: await checksum(path.join(home, modelFile), signal),
    [weightsFile]: await checksum(path.join(home, weightsFile), signal),
  }
  await write(home, checksums)
}

/**
 * Whether a stored graph's files are what was written. Files are read only where they have changed since that was last found.
 * @throws the signal's reason
 */
export async function isIntact(home: string, signal?: AbortSignal): Promise<boolean> {
  const known = await readJsonIfAny(home, checksumsFile, Checksums).catch(() => undefined)
  if (!known) return false
  const found = { ...known }
  for (const name of [modelFile, weightsFile] as const) {
    const file = path.join(home, name)
    if (await isUnchanged(file, known[name])) continue
    const now = await checksum(file, signal).catch((error: unknown) => {
      if (signal?.aborted) throw error
      return undefined
    })
    if (now?.sha256 !== known[name].sha256) return false
    found[name] = now
  }
  // In a cache that cannot be written they are read each time.
  if (found[modelFile] !== known[modelFile] || found[weightsFile] !== known[weightsFile])
    await write(home, found).catch(() => undefined)
  return true
}

async function isUnchanged(file: string, { size, mtimeMs, ctimeMs }: Checksum): Promise<boolean> {
  const now = await stat(file).catch(() => undefined)
  return now !== undefined && now.size === size && now.mtimeMs === mtimeMs && now.ctimeMs === ctimeMs
}

async function checksum(file: string, signal?: AbortSignal): Promise<Checksum> {
  const { size, mtimeMs, ctimeMs } = await stat(file)
  const hash = createHash('sha256')
  const bytes = createReadStream(file, { highWaterMark: 2 ** 20 })
  await pipeline(bytes, hash, signal ? { signal } : {}).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw error
  })
  return { sha256: hash.digest('hex'), size, mtimeMs, ctimeMs }
}

/** No reader ever sees a part. */
async function write(home: string, checksums: Checksums): Promise<void> {
  const draft = path.join(home, `${checksumsFile}.${randomUUID()}`)
  await writeFile(draft, JSON.stringify(checksums), { flush: true })
  await rename(draft, path.join(home, checksumsFile))
}
