/** Reads what `npm run bench -- --out FILE` has written. */
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { calibrate, crossValidate, curve, RecordedRun, stepAcceptance, tokenRates } from '@lookahead/worker/simulator'
import type { Comparison, Points, World } from '@lookahead/worker/simulator'
import * as v from 'valibot'
import { UsageError } from '../usage.ts'

export interface Measured {
  rates: Partial<Record<'alpha1' | 'alpha2' | 'c1' | 'c2', number>>
  comparison: Comparison[]
  costs: World
}

/** Rates and costs of runs, and what the costs predict. @throws UsageError when the file cannot be read as runs */
export async function measure(file: string, forwards?: Points): Promise<Measured> {
  const runs = await readRuns(file)
  if (!runs.some(({ mode }) => mode === 'ar'))
    throw new UsageError(`${file} has no runs of the mode ar, which tell what plain decoding costs`)
  const costs = calibrate(runs, forwards)
  const forward = curve(costs.target)(1)
  const { guesses, acceptance } = tokenRates(runs)
  const alpha1 = stepAcceptance(runs.filter(({ mode }) => mode === 'lr')) ?? stepAcceptance(runs)
  return {
    rates: {
      ...(alpha1 === undefined ? {} : { alpha1, c1: costs.draftToken / forward }),
      ...(guesses === 0 ? {} : { alpha2: acceptance, c2: costs.guess / forward }),
    },
    comparison: crossValidate(runs, forwards),
    costs,
  }
}

/** Runs that failed are left out. */
async function readRuns(file: string): Promise<RecordedRun[]> {
  const bytes = await readFile(file)
  const text = (file.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes).toString()
  return text.split('\n').flatMap((line, at) => {
    if (line === '') return []
    const parsed = parse(line)
    if (v.is(FailedRun, parsed)) return []
    const run = v.safeParse(RecordedRun, parsed)
    if (run.success) return [run.output]
    const [issue] = run.issues
    throw new UsageError(
      `${file}, line ${at + 1}, is not a run of npm run bench -- --out FILE: ${v.getDotPath(issue) ?? 'the line'}: ${issue.message}`,
    )
  })
}

const FailedRun = v.looseObject({ error: v.looseObject({ message: v.string() }) })

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}
