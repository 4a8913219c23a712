import { availableParallelism } from 'node:os'
import { api, check, created, type Pointer } from './api.ts'

/** Only FATAL messages go to stderr: every error also comes back as a status, and is thrown. */
const logSeverity = 4

let wanted: number | undefined

/** How many threads sessions share. Default: one per core. To be called before anything else here, if at all. */
export function shareThreads(threads: number | undefined): void {
  wanted = threads
}

let existing: { pointer: Pointer; threads: number } | undefined

/**
 * ONNX Runtime's environment of this process, with a pool of threads that sessions share: threads of several pools, which
 * wait for work in busy loops, would take the cores from each other. Whatever may log needs it to be there.
 *
 * @param threads of the pool, as the first caller says. Defaults to what `shareThreads` says
 * @returns it, and the threads that its pool has
 */
export function environment(threads = sharedThreads()): { pointer: Pointer; threads: number } {
  return (existing ??= { pointer: create(threads), threads })
}

/** Threads of the pool that sessions share. */
export const sharedThreads = (): number => existing?.threads ?? wanted ?? availableParallelism()

function create(threads: number): Pointer {
  const threading = created((out) => api().createThreadingOptions(out))
  try {
    check(api().setSharedThreads(threading, threads))
    return created((out) => api().createEnv(logSeverity, 'lookahead', threading, out))
  } finally {
    api().releaseThreadingOptions(threading)
  }
}
