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
    const env = created((out) => api().createEnv(logSeverity, 'lookahead', threading, out))
    shareMemory(env)
    return env
  } finally {
    api().releaseThreadingOptions(threading)
  }
}

/** OrtArenaAllocator, OrtMemTypeDefault, and ONNX Runtime's own choice of an arena's settings. */
const [arenaAllocator, defaultMemory, itsOwn] = [1, 0, -1]

/** What one forward has done with, the next one takes, of whichever session: else each keeps what its largest forward took. */
function shareMemory(env: Pointer): void {
  const memory = created((out) => api().createCpuMemoryInfo(arenaAllocator, defaultMemory, out))
  try {
    const arena = created((out) => api().createArena(0, itsOwn, itsOwn, itsOwn, out))
    try {
      check(api().registerAllocator(env, memory, arena))
    } finally {
      api().releaseArena(arena)
    }
  } finally {
    api().releaseMemoryInfo(memory)
  }
}
