/**
 * What the verifier `likelihood` costs in accuracy, by threshold: `npm run bench:likelihood`; `--help` lists the flags.
 *
 * Every problem is answered by plain decoding and with each threshold, with one seed: the texts are then the same up to the
 * first drafted token that is kept and that the target would not have drawn, so what differs is the verifier's doing. With the
 * verifier `exact` they would be the same throughout. Speed is not measured.
 */
import { derivableTerms, foreignProblems, isCorrect } from '@lookahead/gpu-backend/dataset'
import type { Problem } from '@lookahead/gpu-backend/dataset'
import { Lookahead } from '@lookahead/sdk'
import { ask, measure } from '../measure.ts'
import { unknown } from './fidelity-summary.ts'
import { readOptions } from './likelihood-options.ts'
import { summarize, table } from './likelihood-summary.ts'
import type { Trial } from './likelihood-summary.ts'
import { withWorker } from './servers.ts'

const options = readOptions()
await withWorker({ url: undefined, weights: undefined, rtt: 0, pair: options.pair }, async (workerURL) => {
  const { limit, foreign, thresholds } = options
  const client = new Lookahead({ baseURL: workerURL })
  const plain: Trial[] = []
  const others = new Map(thresholds.map((threshold) => [threshold, [] as Trial[]]))
  for (const [at, problem] of foreignProblems(limit, { kinds: foreign }).entries()) {
    plain.push(await answer(client, problem, at, undefined))
    for (const [threshold, trials] of others) trials.push(await answer(client, problem, at, threshold))
    console.error(`${at + 1} of ${limit} problems`)
  }
  const summaries = [...others].map(([threshold, trials]) => ({ threshold, ...summarize(trials, plain) }))
  const found = [{ threshold: null, ...summarize(plain, plain) }, ...summaries]
  console.log(options.json ? JSON.stringify({ options, found }) : table(found))
})

/** @param threshold undefined: plain decoding */
async function answer(client: Lookahead, problem: Problem, at: number, threshold: number | undefined): Promise<Trial> {
  const { depth, seed, temperature } = options
  const request = {
    ...ask(problem.question),
    sampling: { seed: seed + at, temperature },
    // In turns, so that what is drafted does not depend on timing.
    lookahead: { depth, overlap: false, verifier: 'likelihood', threshold },
  }
  const counts = { accepted: 0, rejected: 0 }
  const { result } = await measure(client, threshold === undefined ? 'ar' : 'lr+sd', request, ({ type }) => {
    if (type === 'step.accepted') counts.accepted++
    if (type === 'step.rejected') counts.rejected++
  })
  const underived = unknown(result.text, derivableTerms(problem)).length > 0
  return { correct: isCorrect(problem, result.text), underived, ...counts }
}
