import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { onTestFinished } from 'vitest'

/** Runs one of the scripts here. */
export const run = (script: string, ...args: string[]) =>
  start(process.execPath, [path.join(import.meta.dirname, script), ...args])

/** Runs a command, and finds whatever it started by a variable that all of them inherit (where there is /proc). */
export function start(command: string, args: string[]) {
  const mark = randomUUID()
  const child = spawn(command, args, {
    cwd: path.join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LOOKAHEAD_TEST_MARK: mark },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => (output[name] += chunk))
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))

  /** Command lines of the processes that are still there. */
  const processes = async (): Promise<string[]> => {
    const names = process.platform === 'linux' ? await readdir('/proc') : []
    const read = (name: string, file: string) => readFile(path.join('/proc', name, file), 'utf8').catch(() => '')
    const running = names.map(async (name) =>
      (await read(name, 'environ')).includes(mark) ? read(name, 'cmdline') : '',
    )
    return (await Promise.all(running)).filter((line) => line !== '').map((line) => line.replaceAll('\0', ' '))
  }
  return { child, output, exit, processes }
}
