import { createHash } from 'node:crypto'
import { readdir, readFile, realpath, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { weightFiles } from '../checkpoint/index.ts'
import { weightsFile } from './builder.ts'
import { decoderGraphVersion } from './decoder.ts'
import { encoderGraphVersion } from './encoder.ts'
import type { Precision } from './precision.ts'

/** A graph that is being written is written to: one that has not been for so long was left behind by a process that died. */
const ABANDONED_MS = 60 * 60_000

/** What a checkpoint's graph is other than a decoder that gives whole logits. */
export type GraphVariant = 'reduced' | 'encoder'

/**
 * The folder that a checkpoint's graph of one kind is kept in, whether or not it is there: `graphs/<checkpoint and kind>/<contents>`
 * in the cache. Contents are the builder's version, config.json, and each weight file's name, size and time of change.
 */
export async function graphHome(
  folder: string,
  { weights, activations }: Precision,
  variant: GraphVariant | undefined,
  cacheDir?: string,
): Promise<string> {
  const root = cacheDir ?? (process.env.LOOKAHEAD_CACHE || path.join(homedir(), '.cache', 'lookahead'))
  const kind = [await realpath(folder), weights, activations, ...(variant ? [variant] : [])]
  const files = (await weightFiles(folder)).map(async (file) => {
    const { size, mtimeMs } = await stat(file)
    return `${path.basename(file)} ${size} ${mtimeMs}`
  })
  const contents = [
    variant === 'encoder' ? encoderGraphVersion : decoderGraphVersion,
    await readFile(path.join(folder, 'config.json')),
    ...(await Promise.all(files)),
  ]
  return path.join(root, 'graphs', digest(kind), digest(contents))
}

/** Removes what `home` supersedes: graphs of the same kind from files that have changed since, and parts of some left behind. */
export async function removeSuperseded(home: string): Promise<void> {
  const kind = path.dirname(home)
  for (const name of await readdir(kind)) {
    const other = path.join(kind, name)
    const isPart = name.includes('.')
    if (other !== home && (!isPart || (await isAbandoned(other)))) await rm(other, { recursive: true, force: true })
  }
}

async function isAbandoned(part: string): Promise<boolean> {
  const written = await stat(path.join(part, weightsFile)).catch(() => undefined)
  return written !== undefined && Date.now() - written.mtimeMs > ABANDONED_MS
}

function digest(parts: readonly (string | number | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(typeof part === 'number' ? String(part) : part).update('\n')
  return hash.digest('hex').slice(0, 32)
}
