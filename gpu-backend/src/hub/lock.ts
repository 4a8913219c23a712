import { readFile, rm, writeFile } from 'node:fs/promises'
import { HubError } from './error.ts'

/** The locks that this process holds: in a container one that died may have had the same number. */
const held = new Set<string>()

/**
 * Makes `file` say that this process works in its folder, until disposed of. The lock of a process that died does not count.
 * Two that find such a lock at the same moment may both go on: every file is checked before it is taken.
 *
 * @throws HubError `busy` if another pull holds the lock
 */
export async function lock(file: string): Promise<AsyncDisposable> {
  if (!(await created(file))) {
    if (await isHeld(file)) throw busy(file)
    await rm(file, { force: true })
    if (!(await created(file))) throw busy(file)
  }
  held.add(file)
  return {
    async [Symbol.asyncDispose]() {
      held.delete(file)
      await rm(file, { force: true })
    },
  }
}

const busy = (file: string) =>
  new HubError('busy', `another pull writes into this folder: wait for it to end (else delete ${file})`)

async function created(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Whether the process that a lock names is running. */
async function isHeld(file: string): Promise<boolean> {
  const holder = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10)
  if (!(holder > 0)) return false
  if (holder === process.pid) return held.has(file)
  try {
    return process.kill(holder, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
