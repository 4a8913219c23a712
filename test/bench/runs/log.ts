/** Files of runs, a line each. */
import { appendFile, readFile, truncate } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import * as v from 'valibot'
import { isFailed, keyOf, Run } from './run.ts'
import type { RunIdentity } from './run.ts'

/** A file holds something else than runs. The message says where. */
export class RunsError extends Error {
  override readonly name = 'RunsError'
}

/** The runs of a file, gzipped or not; of runs that repeat each other the last. @throws {RunsError} */
export async function readRuns(file: string): Promise<Run[]> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new RunsError(`cannot read ${file} (${error.code})`)
  })
  const content = file.endsWith('.gz') ? (await promisify(gunzip)(bytes)).toString() : bytes.toString()
  return [...byKey(parseLines(content, file)).values()]
}

const byKey = (runs: readonly Run[]): Map<string, Run> => new Map(runs.map((run) => [keyOf(run), run]))

const parseLines = (content: string, file: string): Run[] =>
  content.split('\n').flatMap((line, at) => (line === '' ? [] : [parse(line, file, at + 1)]))

function parse(line: string, file: string, at: number): Run {
  try {
    return v.parse(Run, JSON.parse(line))
  } catch (error) {
    throw new RunsError(`${file}, line ${at}, is not a run of npm run bench: ${(error as Error).message}`)
  }
}

/** Runs already made, and those made now; in a file, where there is one, so that a benchmark can go on after it was stopped. */
export class RunLog {
  readonly #file: string | undefined
  readonly #runs: Map<string, Run>

  private constructor(file: string | undefined, runs: readonly Run[]) {
    this.#file = file
    this.#runs = byKey(runs)
  }

  /** Without a file, runs are kept in memory. A last line that was cut off is dropped. @throws {RunsError} */
  static async open(file?: string): Promise<RunLog> {
    if (file === undefined) return new RunLog(undefined, [])
    const content = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw new RunsError(`cannot read ${file} (${error.code})`)
    })
    const whole = content.slice(0, content.lastIndexOf('\n') + 1)
    const runs = parseLines(whole, file)
    if (whole !== content) await truncate(file, Buffer.byteLength(whole))
    return new RunLog(file, runs)
  }

  /** The run that was made, unless it failed: that is tried again. */
  completed(identity: RunIdentity): Run | undefined {
    const run = this.find(identity)
    return run && isFailed(run) ? undefined : run
  }

  find(identity: RunIdentity): Run | undefined {
    return this.#runs.get(keyOf(identity))
  }

  async add(run: Run): Promise<void> {
    this.#runs.set(keyOf(run), run)
    if (this.#file !== undefined) await appendFile(this.#file, `${JSON.stringify(run)}\n`)
  }
}
