import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { HubError } from './error.ts'

/** Longer than anybody takes from creating or reading a lock to writing it. */
const SETTLE_MS = 100

/** The locks that this process holds. */
const held = new Set<string>()

/**
 * Makes `file` say that this process works in its folder, until disposed of. A process that died leaves no lock behind: all
 * who find its lock put theirs in its place, and after a pause it is the last one's.
 *
 * @throws HubError `busy` if another pull holds the lock
 */
export async function lock(file: string): Promise<AsyncDisposable> {
  const mark = `${process.pid} ${randomUUID()}`
  if (!(await created(file, mark))) {
    if (held.has(file) || isRunning(await holderOf(file))) throw busy(file)
    const own = `${file}.${randomUUID()}`
    await writeFile(own, mark)
    await rename(own, file)
    await sleep(SETTLE_MS)
    if ((await readIfAny(file)) !== mark) throw busy(file)
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

async function created(file: string, mark: string): Promise<boolean> {
  try {
    await writeFile(file, mark, { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** The process that a lock names; 0 if none. A lock is empty for the moment before its holder has written it. */
async function holderOf(file: string): Promise<number> {
  let mark = await readIfAny(file)
  if (mark === '') {
    await sleep(SETTLE_MS)
    mark = await readIfAny(file)
  }
  return Number.parseInt(mark, 10) || 0
}

const readIfAny = (file: string) => readFile(file, 'utf8').catch(() => '')

/** Of another process. */
function isRunning(id: number): boolean {
  if (id === process.pid || id <= 0) return false
  try {
    return process.kill(id, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
