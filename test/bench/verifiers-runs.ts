/** What verifiers do to whole runs: accuracy, acceptance, and what is said that nobody could know. */
import { derivableTerms, isCorrect, testProblems } from '@lookahead/gpu-backend/dataset'
import { Lookahead } from '@lookahead/sdk'
import type { Mode } from '@lookahead/sdk'
import { ask, measure } from '../measure.ts'
import { unknown } from './fidelity-summary.ts'
import { sum } from './statistics.ts'

export interface RunSummary {
  runs: number
  /** Fraction of the runs. */
  accuracy: number
  /** Accepted drafted steps over drafted steps; `null` for plain decoding. */
  acceptRate: number | null
  /** Runs that say a word or a number that is neither in the question nor derivable. */
  underived: number
  tokensPerSecond: number
}

/** Plain decoding, and each verifier in mode lr+sd, in turns on every problem. */
export async function measureRuns(
  workerURL: string,
  verifiers: readonly string[],
  { runs, depth, seed }: { runs: number; depth: number; seed: number },
): Promise<Map<string, RunSummary>> {
  const client = new Lookahead({ baseURL: workerURL })
  const ways: Way[] = [
    { name: 'plain decoding', mode: 'ar' },
    ...verifiers.map((verifier) => ({ name: verifier, mode: 'lr+sd' as const, verifier })),
  ]
  const trials = new Map(ways.map(({ name }) => [name, [] as Trial[]]))
  for (const [at, problem] of testProblems(runs).entries()) {
    const derivable = derivableTerms(problem)
    for (const { name, mode, verifier } of ways) {
      const request = {
        ...ask(problem.question),
        sampling: { seed },
        lookahead: { depth, ...(verifier !== undefined && { verifier }) },
      }
      const { result, tokens, seconds } = await measure(client, mode, request)
      trials.get(name)!.push({
        correct: isCorrect(problem, result.text),
        underived: unknown(result.text, derivable).length > 0,
        drafted: result.stats.drafted_steps,
        accepted: result.stats.accepted_steps,
        tokens,
        seconds,
      })
    }
    console.error(`${at + 1} of ${runs} problems`)
  }
  return new Map([...trials].map(([name, list]) => [name, summarize(list)]))
}

interface Way {
  name: string
  mode: Mode
  verifier?: string
}

interface Trial {
  correct: boolean
  underived: boolean
  drafted: number
  accepted: number
  tokens: number
  seconds: number
}

function summarize(trials: readonly Trial[]): RunSummary {
  const total = (of: (trial: Trial) => number): number => sum(trials.map(of))
  const drafted = total((trial) => trial.drafted)
  return {
    runs: trials.length,
    accuracy: total(({ correct }) => Number(correct)) / trials.length,
    acceptRate: drafted > 0 ? total(({ accepted }) => accepted) / drafted : null,
    underived: total(({ underived }) => Number(underived)),
    tokensPerSecond: total(({ tokens }) => tokens) / total(({ seconds }) => seconds),
  }
}
