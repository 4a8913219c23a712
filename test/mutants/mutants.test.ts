import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { matching, mutated, untrue } from './mutant.ts'
import type { Mutant } from './mutant.ts'
import { isEnough, score, summary, table } from './report.ts'
import { runMutants } from './run.ts'
import type { MutationOptions, Result } from './run.ts'

const source = `/** Adds whole numbers. */
export function add(a: number, b: number): number {
  while (b > 0) [a, b] = [a + 1, b - 1]
  return a
}
`
const fault = (from: string, to: string, means = 'm'): Mutant => {
  return { file: 'sums/add.ts', from, to, means, tests: ['sums/add.test.ts'] }
}

describe('a mutant', () => {
  test('is put where its text stands', () => {
    expect(mutated(source, fault('a + 1', 'a + 2'))).toBe(source.replace('a + 1', 'a + 2'))
  })

  test.each([
    ['is not there', fault('a * 1', 'a'), 'is not in it'],
    ['is there several times', fault('number', 'string'), 'is 4 times in it'],
    ['stays the same', fault('a + 1', 'a + 1'), 'changes nothing'],
    ['leaves no code', fault('while (', 'while )'), 'is no TypeScript'],
  ])('whose text %s is refused', (_, mutant, reason) => {
    expect(() => mutated(source, mutant)).toThrow(reason)
  })

  test('is found by its area, its file and what it means', () => {
    const areas = [{ name: 'sums', mutants: [fault('a', 'b', 'One too many'), fault('c', 'd', 'another')] }]
    expect(matching(areas, 'too MANY').flatMap(({ mutants }) => mutants)).toHaveLength(1)
    for (const text of ['', 'Sums', 'add.ts']) expect(matching(areas, text)).toEqual(areas)
    expect(matching(areas, 'nothing')).toEqual([])
  })
})

describe('a run', () => {
  let root: string
  /** Where copies are made. */
  let scratch: string
  beforeEach(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'lookahead-test-'))
    vi.stubEnv('TMPDIR', scratch)
    root = await mkdtemp(path.join(tmpdir(), 'lookahead-test-'))
    await mkdir(path.join(root, 'sums'))
    await symlink(path.join(import.meta.dirname, '../../node_modules'), path.join(root, 'node_modules'))
    await writeFile(path.join(root, '.gitignore'), 'node_modules\n')
    await writeFile(path.join(root, 'sums/add.ts'), source)
    await write('expect(add(2, 3)).toBe(5)')
    execFileSync('git', ['init', '--quiet'], { cwd: root })
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await rm(scratch, { recursive: true })
  })

  const write = (check: string): Promise<void> =>
    writeFile(
      path.join(root, 'sums/add.test.ts'),
      `import { expect, test } from 'vitest'\nimport { add } from './add.ts'\ntest('adds', () => ${check})\n`,
    )

  const run = (mutants: Mutant[], options: Partial<MutationOptions> = {}): Promise<Result[]> =>
    runMutants({
      root,
      areas: [{ name: 'sums', mutants }],
      signal: new AbortController().signal,
      onProgress: () => undefined,
      onResult: () => undefined,
      ...options,
    })
  const copies = (): Promise<string[]> => readdir(scratch).then((names) => names.filter((name) => /mutants/.test(name)))

  test('tells the noticed from the unnoticed and from those without end, and leaves everything as it was', async () => {
    const mutants = [fault('a + 1', 'a + 2'), fault('b > 0', 'b !== 0'), fault('b - 1]', 'b]'), fault('b > 0', 'b > 1')]
    const results = await run(mutants, { patienceMs: 2000 })
    expect(results.map(({ killed, hung }) => [killed, hung])).toEqual([
      [true, false],
      [false, false],
      [true, true],
      [true, false],
    ])
    expect(await readFile(path.join(root, 'sums/add.ts'), 'utf8')).toBe(source)
    expect((await readdir(path.join(root, 'sums'))).toSorted()).toEqual(['add.test.ts', 'add.ts'])
    expect(await copies()).toEqual([])
    expect([score(results), isEnough(score(results))]).toEqual([{ killed: 3, total: 4 }, false])
    expect(table(results)).toContain('survived: sums/add.ts: m')
    expect(summary(results)).toMatchObject({ killed: 3, areas: { sums: { killed: 3, total: 4 } } })
  })

  test('is refused where the list does not fit the code, or the tests fail without any fault', async () => {
    const wrong = fault('a * 1', 'a')
    await expect(run([wrong])).rejects.toThrow('the list has to follow the code:\nsums/add.ts: "a * 1" is not in it')
    const missing = { ...fault('a + 1', 'a'), tests: ['sums/no.test.ts'] }
    expect(await untrue(root, [{ name: 'sums', mutants: [missing] }])).toEqual([expect.stringContaining('no.test.ts')])
    await write('expect(add(2, 3)).toBe(6)')
    await expect(run([fault('a + 1', 'a')])).rejects.toThrow('sums/add.test.ts fails without any mutant')
  })

  test('ends when it is told to', async () => {
    const stop = new AbortController()
    const reason = new Error('enough')
    const onProgress = (): void => stop.abort(reason)
    await expect(run([fault('a + 1', 'a')], { signal: stop.signal, onProgress })).rejects.toBe(reason)
    expect(await copies()).toEqual([])
  })
})
