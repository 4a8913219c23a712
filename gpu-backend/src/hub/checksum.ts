import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { RemoteFile } from './repository.ts'

/** Whether a file on this machine holds what the hub says it has; false if there is none. */
export async function matches(file: string, remote: RemoteFile, signal?: AbortSignal): Promise<boolean> {
  const found = await stat(file).catch(() => undefined)
  if (found?.size !== remote.size) return false
  const hash = createHash(remote.checksum.type === 'sha256' ? 'sha256' : 'sha1')
  // What git hashes is the object: a header, then the bytes.
  if (remote.checksum.type === 'git') hash.update(`blob ${remote.size}\0`)
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 20, signal })) hash.update(chunk as Buffer)
  return hash.digest('hex') === remote.checksum.value
}
