import { setImmediate } from 'node:timers/promises'

/**
 * Does some work and watches the event loop meanwhile: the longest time in milliseconds that the thread computed without giving
 * others a turn. CPU time counts, so that a busy machine changes nothing.
 */
export async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  const done = new AbortController()
  const watching = watch(done.signal)
  try {
    await work()
  } finally {
    done.abort()
  }
  return watching
}

async function watch(done: AbortSignal): Promise<number> {
  let longest = 0
  for (let before = threadMs(); !done.aborted;) {
    await setImmediate()
    const now = threadMs()
    longest = Math.max(longest, now - before)
    before = now
  }
  return longest
}

/** How slow this machine is, against the one that limits in milliseconds are meant for: 1, or more. */
export function slowness(): number {
  const before = threadMs()
  // A kernel may count this time in ticks of 4 ms: many runs together.
  for (let run = 0; run < RUNS; run++) JSON.parse(LONG_LIST)
  return Math.max(1, (threadMs() - before) / RUNS / REFERENCE_MS)
}

const RUNS = 30
const LONG_LIST = `[${'123,'.repeat(250_000)}1]`
/** What one run takes on 2 cores of an Intel Xeon of 2023. */
const REFERENCE_MS = 6

/** CPU time of this thread so far, in milliseconds. */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
