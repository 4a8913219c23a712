/**
 * Verifiers on labelled pairs of steps, and in whole runs: `npm run bench:verifiers`. Prints Markdown: what each accepts by
 * category, precision, recall and milliseconds a step, and what a threshold on the target's own probabilities would accept.
 */
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Engine } from '@lookahead/gpu-backend'
import { equivalencePairs } from '@lookahead/gpu-backend/dataset'
import { accepted, judge, rejected } from '@lookahead/worker/verifiers'
import type { AskJudge, Verifier } from '@lookahead/worker/verifiers'
import { withStack } from '../launcher/index.ts'
import { readOptions } from './verifiers-options.ts'
import { measurePairs, prepare } from './verifiers-pairs.ts'
import type { Measured } from './verifiers-pairs.ts'
import { measureRuns } from './verifiers-runs.ts'
import { report, results } from './verifiers-report.ts'
import type { Results } from './verifiers-report.ts'

const shipped = path.join(import.meta.dirname, '../../gpu-backend/models')
const options = readOptions()
const models = options.judge === undefined ? shipped : await withJudge(options.judge)
try {
  await main()
} finally {
  if (models !== shipped) await rm(models, { recursive: true })
}

async function main(): Promise<void> {
  const engine = await Engine.load({ models, leastLogprob: options.leastLogprob, verifierTimeoutMs: 600_000 })
  const chosen = verifiersOf(engine)
  const measured = new Map<string, Measured>()
  const prepared = await prepare(engine, equivalencePairs(options.pairs, options.seed))
  for (const verifier of chosen) {
    // The first forwards of a model are slower.
    await measurePairs(verifier, prepared.slice(0, 2 * options.batch), options.batch)
    // What one asked about is known to the next.
    for (const { runner } of engine.runners) runner.kv.prefixes.evict(Infinity)
    measured.set(verifier.name, await measurePairs(verifier, prepared, options.batch))
  }
  engine.close()
  const scored = prepared.map(({ labelled, least, typical }) => ({ pair: labelled, least, typical }))
  const runs = await wholeRuns(chosen.map(({ name }) => name).filter((name) => engine.verifierNames.includes(name)))
  const found: Results = { measured, scored, runs }
  console.log(options.json ? JSON.stringify({ options, ...results(found) }) : report(found))
}

/** Those of the engine, and parts that show what each is worth. @throws RangeError for a name that there is not */
function verifiersOf(engine: Engine): Verifier[] {
  const all = [
    ...engine.verifierNames.map((name) => engine.verifier(name)),
    ...(engine.judge ? ungated(engine.judge) : []),
    gate(options.leastLogprob ?? -4),
  ]
  return (options.verifiers ?? all.map(({ name }) => name)).map((name) => {
    const found = all.find((verifier) => verifier.name === name)
    if (found) return found
    throw new RangeError(`--verifiers: there is no "${name}": there are ${all.map((known) => known.name).join(', ')}`)
  })
}

/** The judge without the target's opinion, with and without the rules about numbers and names. */
function ungated(asked: NonNullable<Engine['judge']>): Verifier[] {
  const ask: AskJudge = (pairs, signal) => asked.rule(pairs, signal)
  return [
    judge({ ask, leastLogprob: -Infinity }, 'rules and judge'),
    judge({ ask, leastLogprob: -Infinity, rules: [] }, 'judge alone'),
  ]
}

/** Rules by the target's least log-probability of a drafted token alone: what it costs in a run is nothing. */
function gate(leastLogprob: number): Verifier {
  return {
    name: 'gate alone',
    leastLogprob,
    rule: ({ draft }) => (draft.unlikely ? rejected('unlikely') : accepted('likely')),
  }
}

async function withJudge(folder: string): Promise<string> {
  const own = await mkdtemp(path.join(tmpdir(), 'lookahead-'))
  for (const role of ['target', 'draft']) await symlink(path.join(shipped, role), path.join(own, role))
  await symlink(path.resolve(folder), path.join(own, 'judge'))
  return own
}

async function wholeRuns(names: readonly string[]): Promise<Results['runs']> {
  let summaries: Results['runs'] = new Map()
  if (options.runs > 0)
    await withStack(
      async ({ workerURL }) => {
        summaries = await measureRuns(workerURL, names, options)
      },
      { models, leastLogprob: options.leastLogprob },
    )
  return summaries
}
