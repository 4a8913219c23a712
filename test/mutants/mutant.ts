/** A plausible fault, of one line: what the code would do if somebody had got it wrong. Tests must notice. */
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import path from 'node:path'

export interface Mutant {
  /** From the repository's root, as all paths here. */
  file: string
  /** Stands in the file exactly once. */
  from: string
  /** Stands there instead. */
  to: string
  /** What is wrong then, in one line. */
  means: string
  /** The test files nearest to it; their first folder is their package. */
  tests: readonly string[]
}

/** Mutants of one part of the system. */
export interface Area {
  name: string
  mutants: readonly Mutant[]
}

/** Mutants by area whose area, file or meaning holds `pattern`, whatever the case. */
export function matching(areas: readonly Area[], pattern: string): Area[] {
  const wanted = pattern.toLowerCase()
  return areas
    .map(({ name, mutants }) => ({
      name,
      mutants: mutants.filter(({ file, means }) => [name, file, means].join('\n').toLowerCase().includes(wanted)),
    }))
    .filter(({ mutants }) => mutants.length > 0)
}

/** The file's text with the fault in it. @throws {Error} saying why the mutant is not true of this text */
export function mutated(text: string, { file, from, to }: Mutant): string {
  const [before, after, ...more] = text.split(from)
  if (before === undefined || after === undefined || more.length > 0) {
    const times = after === undefined ? 'is not' : `is ${more.length + 1} times`
    throw new Error(`${file}: ${JSON.stringify(from)} ${times} in it, and has to be once`)
  }
  const result = before + to + after
  if (result === text) throw new Error(`${file}: ${JSON.stringify(to)} changes nothing`)
  try {
    stripTypeScriptTypes(result)
  } catch (error) {
    throw new Error(`${file}: with ${JSON.stringify(to)} it is no TypeScript`, { cause: error })
  }
  return result
}

/** What is not true of the files below `root`: one line for each mutant that no longer fits. */
export async function untrue(root: string, areas: readonly Area[]): Promise<string[]> {
  const problems: string[] = []
  for (const mutant of areas.flatMap(({ mutants }) => mutants))
    try {
      mutated(await readFile(path.join(root, mutant.file), 'utf8'), mutant)
      for (const test of mutant.tests) await readFile(path.join(root, test))
    } catch (error) {
      problems.push((error as Error).message)
    }
  return problems
}
