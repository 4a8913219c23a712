/** Puts one fault after another into a copy of the repository, and sees whether the tests notice. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { mutated, untrue } from './mutant.ts'
import type { Area, Mutant } from './mutant.ts'
import { runTests } from './tests.ts'
import type { Outcome } from './tests.ts'
import { Workplace } from './workplace.ts'

export interface Result extends Mutant {
  area: string
  /** By a test that failed, or because the tests did not end in time. */
  killed: boolean
  hung: boolean
  ms: number
}

/** The list does not fit the code, or the tests fail without any mutant: nothing can be said. */
export class Unfit extends Error {}

export interface MutationOptions {
  /** The repository. */
  root: string
  areas: readonly Area[]
  signal: AbortSignal
  onProgress: (line: string) => void
  onResult: (result: Result) => void
  /** A mutant's tests may take five times as long as without it, and so much more, in milliseconds. Default 10,000. */
  patienceMs?: number
}

/** Times the usual. */
const PATIENCE = 5

/** @throws {Unfit}; the signal's reason */
export async function runMutants(options: MutationOptions): Promise<Result[]> {
  const { root, areas, signal, onProgress, onResult, patienceMs = 10_000 } = options
  const problems = await untrue(root, areas)
  if (problems.length > 0) throw new Unfit(`the list has to follow the code:\n${problems.join('\n')}`)
  await using workplace = await Workplace.of(root)
  const { env } = workplace
  const run = async (files: readonly string[], limitMs?: number): Promise<{ outcome: Outcome; ms: number }> => {
    const started = performance.now()
    const outcome = await runTests(workplace.root, files, { env, limitMs, signal })
    return { outcome, ms: performance.now() - started }
  }

  const usual = new Map<string, number>()
  for (const file of new Set(areas.flatMap(({ mutants }) => mutants.flatMap(({ tests }) => tests)))) {
    const { outcome, ms } = await run([file])
    if (outcome !== 'passed') throw new Unfit(`${file} fails without any mutant`)
    onProgress(`${file} passes, in ${(ms / 1000).toFixed(1)} s`)
    usual.set(file, ms)
  }

  const results: Result[] = []
  for (const { name: area, mutants } of areas)
    for (const mutant of mutants) {
      const file = path.join(workplace.root, mutant.file)
      const text = await readFile(file, 'utf8')
      await writeFile(file, mutated(text, mutant))
      const expected = mutant.tests.reduce((sum, test) => sum + usual.get(test)!, 0)
      const { outcome, ms } = await run(mutant.tests, PATIENCE * expected + patienceMs)
      await writeFile(file, text)
      const result = { ...mutant, area, killed: outcome !== 'passed', hung: outcome === 'hung', ms }
      results.push(result)
      onResult(result)
    }
  return results
}
