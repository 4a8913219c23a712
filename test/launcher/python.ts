/** A Python with packages of PyPI, for what is tried with programs of others. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'

/** @throws {Error} where the command ends otherwise than with 0; the signal's reason */
export async function execute(
  command: string,
  args: readonly string[],
  env = process.env,
  signal?: AbortSignal,
): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], env, signal })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${path.basename(command)} ${args.slice(0, 2).join(' ')} ended with ${code}`)
}

/**
 * The interpreter of a virtual environment with these packages, made at the first call and kept in the cache folder.
 * @param packages as `pip install` takes them; others than last time are installed
 * @throws {Error} where there is no python3, or pip fails
 */
export async function pythonWith(name: string, packages: readonly string[], signal?: AbortSignal): Promise<string> {
  const folder = path.join(process.env.LOOKAHEAD_CACHE ?? path.join(homedir(), '.cache/lookahead'), name)
  const python = path.join(folder, 'bin/python')
  const installed = path.join(folder, 'installed.txt')
  const wanted = packages.join('\n')
  if ((await readFile(installed, 'utf8').catch(() => '')) === wanted) return python
  console.log(`installing ${packages.join(', ')} in ${folder}`)
  await mkdir(folder, { recursive: true })
  await execute('python3', ['-m', 'venv', folder], process.env, signal)
  await execute(
    python,
    ['-m', 'pip', 'install', '-qq', '--disable-pip-version-check', ...packages],
    process.env,
    signal,
  )
  await writeFile(installed, wanted)
  return python
}
