import { readFile, rm, writeFile } from 'node:fs/promises'
import { HubError } from './error.ts'

/** The locks that this process holds. */
const held = new Set<string>()

/**
 * Makes `file` say that this process works in its folder, until disposed of. A process that died leaves no lock behind.
 *
 * @throws HubError `busy` if another pull holds the lock
 */
export async function lock(file: string): Promise<AsyncDisposable> {
  while (!(await created(file))) {
    const holder = Number(await readFile(file, 'utf8').catch(() => ''))
    if (held.has(file) || isRunning(holder))
      throw new HubError('busy', `another pull writes into this folder: wait for it to end (else delete ${file})`)
    await rm(file, { force: true })
  }
  held.add(file)
  return {
    async [Symbol.asyncDispose]() {
      held.delete(file)
      await rm(file, { force: true })
    },
  }
}

async function created(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Of another process. A lock is empty for the moment before its holder has written its id. */
function isRunning(id: number): boolean {
  if (id === process.pid) return false
  if (id === 0) return true
  try {
    return process.kill(id, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
