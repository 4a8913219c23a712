/** Runs test files, one after another, in processes that are surely gone afterwards. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

/** `hung`: the time was up. */
export type Outcome = 'passed' | 'failed' | 'hung'

export interface TestOptions {
  env: NodeJS.ProcessEnv
  /** Time for all the files together. Default: without limit. */
  limitMs?: number | undefined
  /** Ends the tests; the promise is rejected with its reason. */
  signal: AbortSignal
}

/**
 * @param files from `root`; their first folder is their package
 * @returns what came of them, up to the first that fails
 */
export async function runTests(root: string, files: readonly string[], options: TestOptions): Promise<Outcome> {
  const byPackage = Map.groupBy(files, (file) => file.split('/')[0]!)
  const until = performance.now() + (options.limitMs ?? Infinity)
  for (const [folder, own] of byPackage) {
    const names = own.map((file) => file.slice(folder.length + 1))
    const outcome = await vitest(root, folder, names, { ...options, limitMs: until - performance.now() })
    if (outcome !== 'passed') return outcome
  }
  return 'passed'
}

async function vitest(
  root: string,
  folder: string,
  files: string[],
  { env, limitMs = Infinity, signal }: TestOptions,
): Promise<Outcome> {
  signal.throwIfAborted()
  const program = path.join(root, 'node_modules/vitest/vitest.mjs')
  const args = ['run', ...files, '--bail=1', '--no-file-parallelism', '--reporter=dot']
  // A group of its own, so that what the tests have started ends with them.
  const child = spawn(process.execPath, [program, ...args], {
    cwd: path.join(root, folder),
    env: { ...env, CI: '1' },
    stdio: 'ignore',
    detached: true,
  })
  let hung = false
  const stop = (): void => killGroup(child.pid)
  const timer = Number.isFinite(limitMs)
    ? setTimeout(() => {
        hung = true
        stop()
      }, limitMs)
    : undefined
  signal.addEventListener('abort', stop)
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    signal.throwIfAborted()
    if (hung) return 'hung'
    return code === 0 ? 'passed' : 'failed'
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    stop()
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}
