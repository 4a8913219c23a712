/**
 * Whether lookahead says what the target would not; `npm run bench:fidelity -- --help` lists the flags.
 *
 * A run is strange if it has a term (a word or a whole number) that is not in the question, in no wording of a right
 * solution (`derivableTerms`: partial products and carries included), and in none of some other runs of plain decoding,
 * one greedy and some sampled. The last is what plain decoding derives from the question, its own mistakes included: it
 * garbles words that it was not trained on, and slips in calculations. Plain decoding is measured by the same rule, with a
 * run of its own; what a mode has more than that, it has added.
 */
import { derivableTerms, foreignProblems, isCorrect, terms } from '@lookahead/gpu-backend/dataset'
import type { Problem } from '@lookahead/gpu-backend/dataset'
import { Lookahead } from '@lookahead/sdk'
import type { Mode, RunEvent } from '@lookahead/sdk'
import { withStack } from '../launcher/index.ts'
import { ask, measure } from '../measure.ts'
import { withCycle } from './in-process.ts'
import type { Runs } from './in-process.ts'
import { readOptions } from './fidelity-options.ts'
import type { FidelityOptions } from './fidelity-options.ts'
import { isWord, summarize, unknown } from './fidelity-summary.ts'
import type { ModeSummary, Trial } from './fidelity-summary.ts'

const options = readOptions(
  'bench:fidelity',
  'Questions about people, things, colours and units that the models were not trained on, every mode on every question: how many runs say a word or a number that neither question, solver nor plain decoding has.',
)

if (options.inProcess) await withCycle({ pair: 'near' }, report)
else
  await withStack(({ workerURL }) => report(new Lookahead({ baseURL: workerURL })), {
    leastLogprob: options.leastLogprob,
  })

async function report(client: Runs): Promise<void> {
  const summaries = await bench(client, options)
  if (options.json) console.log(JSON.stringify({ options, modes: summaries }))
  else console.log(table(summaries))
}

async function bench(client: Runs, { limit, families, foreign, modes, plain, ...lookahead }: FidelityOptions) {
  const trials = Object.fromEntries(modes.map((mode) => [mode, []])) as { [M in Mode]?: Trial[] }
  for (const [at, problem] of foreignProblems(limit, { families, kinds: foreign }).entries()) {
    const derivable = derivableTerms(problem)
    const known = new Set(derivable)
    const references = [
      { temperature: 0 },
      ...Array.from({ length: plain }, (_, n) => ({ seed: lookahead.seed + 1 + n })),
    ]
    for (const sampling of references) {
      const { result } = await measure(client, 'ar', { ...ask(problem.question), sampling })
      for (const term of terms(result.text)) known.add(term)
    }
    for (const mode of modes) {
      const trial = await tried(client, mode, problem, { ...lookahead, derivable, known })
      trials[mode]!.push(trial)
      if (trial.strange.length > 0) console.error(`${problem.id} ${problem.family} ${mode}: ${trial.strange.join(' ')}`)
    }
    console.error(`${at + 1} of ${limit}  ${progress(modes, trials)}`)
  }
  return Object.fromEntries(modes.map((mode) => [mode, summarize(trials[mode]!)]))
}

interface Conditions extends Pick<FidelityOptions, 'verifier' | 'depth' | 'seed'> {
  derivable: ReadonlySet<string>
  known: ReadonlySet<string>
}

async function tried(
  client: Runs,
  mode: Mode,
  problem: Problem,
  { verifier, depth, seed, derivable, known }: Conditions,
): Promise<Trial> {
  let judged = ''
  const heed = (event: RunEvent): void => {
    if (event.type === 'step.accepted' && (event.reason === 'judge' || event.reason === 'likely')) judged += event.text
  }
  const request = { ...ask(problem.question), sampling: { seed }, lookahead: { verifier, depth } }
  const measured = await measure(client, mode, request, heed)
  const { text } = measured.result
  const strange = unknown(text, known)
  const inJudged = new Set(terms(judged))
  return {
    ...measured,
    correct: isCorrect(problem, text),
    underived: unknown(text, derivable),
    strange,
    judged: strange.filter((term) => isWord(term) && inJudged.has(term)),
  }
}

function progress(modes: Mode[], trials: { [M in Mode]?: Trial[] }): string {
  const strange = (mode: Mode) => trials[mode]!.filter((trial) => trial.strange.length > 0)
  return modes.map((mode) => `${mode} ${strange(mode).length} strange`).join('   ')
}

function table(summaries: Record<string, ModeSummary>): string {
  const percent = (value: number | null) => (value === null ? '–' : `${(100 * value).toFixed(1)} %`)
  const rows = Object.entries(summaries).map(([mode, summary]) => {
    const { runs, accuracy, underived, strange, words, judged, acceptRate } = summary
    const share = (count: number) => percent(count / runs)
    return [mode, percent(accuracy), share(underived), share(strange), share(words), share(judged), percent(acceptRate)]
  })
  const head = ['mode', 'accuracy', 'not derivable', 'strange', 'strange word', 'in judged step', 'accepted']
  return [head, ...rows].map((row) => row.map((cell) => cell.padStart(16)).join('')).join('\n')
}
