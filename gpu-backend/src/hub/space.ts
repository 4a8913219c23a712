import { stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import { formatBytes } from '../bytes.ts'
import { HubError } from './error.ts'
import type { RemoteFile } from './repository.ts'

/** @throws HubError `no_space` if the disk of `folder` has no room for the files, of which parts may lie there already */
export async function assertSpace(folder: string, files: readonly RemoteFile[]): Promise<void> {
  let needed = 0
  for (const file of files) {
    const whole = await sizeOf(path.join(folder, file.path))
    needed += file.size - (whole || (await sizeOf(path.join(folder, `${file.path}.part`))))
  }
  const { bavail, bsize } = await statfs(folder)
  if (needed > bavail * bsize)
    throw new HubError(
      'no_space',
      `${formatBytes(needed)} are still to come, and the disk has ${formatBytes(bavail * bsize)} left: make room, then run the same command again`,
    )
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0
}
