/** What a session consists of, in order: what shows whether anything works comes first, what takes longest last. */
import { mkdir, symlink } from 'node:fs/promises'
import path from 'node:path'
import type { SessionOptions } from './options.ts'
import type { PartName } from './part-names.ts'

/** A command that is run in a process of its own. */
export interface Part {
  /** Of which kind, */
  kind: PartName
  /** and its name in the summary. */
  name: string
  command: string
  args: string[]
  /** Seconds that it may take. */
  limit: number
  /** A file in which it leaves its findings as JSON, if it does. */
  json?: string
}

/**
 * Rates of the paper's pairs on GSM8K (arXiv 2506.19830, table 1: steps kept). Of tokens it has none, since it guesses by n-gram; seven
 * of ten is what is reported of the first token that a draft model guesses.
 */
export const pairs = {
  'R1-Distill 32B/1.5B': 'steps=0.63,tokens=0.7',
  'Qwen3 32B/1.7B': 'steps=0.5,tokens=0.7',
}

const root = path.join(import.meta.dirname, '../..')
const gpuCheck = path.join(root, 'gpu-backend/gpu-check')

/** The target of forced acceptance is the model whose speed was measured last: it is large, and need not be written twice. */
export async function shareTarget({ shapes }: SessionOptions, scratch: string): Promise<void> {
  const [folder, pair] = [path.join(scratch, shapes.at(-1)!), path.join(scratch, 'pair')]
  for (const each of [folder, pair]) await mkdir(each)
  await symlink(folder, path.join(pair, 'target'))
}

/** @param scratch a folder for random models, which is removed in the end */
export function partsOf({ out, device, shapes, python, only }: SessionOptions, scratch: string): Part[] {
  const isTiny = shapes.every((shape) => shape === 'tiny')
  const node = (kind: PartName, name: string, script: string, args: string[], limit: number): Part => ({
    kind,
    name,
    command: process.execPath,
    args: [script, ...args],
    limit,
  })
  const check = (kind: PartName, name: string, args: string[], limit: number): Part => {
    const json = path.join(scratch, `${name.replaceAll(' ', '-')}.json`)
    const all = ['--device', device, '--out', json, ...(isTiny ? ['--rounds', '3'] : []), ...args]
    return { ...node(kind, name, path.join(gpuCheck, 'main.ts'), all, limit), json }
  }
  const bench = (script: string) => path.join(root, 'test/bench', script)
  const runs = ['--out', path.join(out, 'runs.jsonl'), '--device', device]
  const models = path.join(scratch, 'pair')
  const [target, draft] = [shapes.at(-1)!, isTiny ? 'tiny' : '0.6b']
  const parts: Part[] = [
    check('operators', 'operators', ['--only', 'operators'], 60),
    check('parity', 'parity', ['--only', 'parity'], 60),
    check('pool', 'pool', ['--only', 'pool'], 45),
    ...shapes.flatMap((shape) => [
      check('speed', `speed ${shape}`, ['--only', 'speed', '--shapes', shape, '--keep', scratch], 120),
      {
        kind: 'transformers' as const,
        name: `transformers ${shape}`,
        command: python,
        args: [path.join(gpuCheck, 'transformers_generate.py'), path.join(scratch, shape), '--device', device],
        limit: 60,
      },
    ]),
    node(
      'shipped',
      'shipped models',
      bench('bench.ts'),
      ['--modes', 'ar,sd,lr,lr+sd,auto', '--limit', isTiny ? '1' : '8', ...runs],
      60,
    ),
    node(
      'models',
      'random models',
      path.join(gpuCheck, 'random-models.ts'),
      ['--out', models, '--device', device, '--target', target, '--draft', draft, '--judge', draft],
      90,
    ),
    ...Object.entries(pairs).map(([pair, rates]) =>
      node(
        'forced',
        `forced ${pair}`,
        bench('forced.ts'),
        [
          '--models',
          models,
          '--forced',
          rates,
          ...runs,
          ...(isTiny
            ? ['--depths', '2', '--guesses', '4', '--limit', '1', '--max-tokens', '60', '--memory', '512']
            : []),
        ],
        120,
      ),
    ),
  ]
  return parts.filter(({ kind }) => only?.includes(kind) ?? true)
}
