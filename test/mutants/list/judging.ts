import type { Area } from '../mutant.ts'

const judge = 'gpu-backend/src/engine/judging/judge.ts'
const likelihood = 'gpu-backend/src/engine/judging/likelihood.ts'
const verdictsTest = 'gpu-backend/src/engine/verdicts.test.ts'
const likelihoodTest = 'gpu-backend/src/engine/judging/likelihood.test.ts'

export const judging: Area = {
  name: 'engine/judging',
  mutants: [
    {
      file: judge,
      from: 'return logits[this.#aligned]! > logits[this.#unaligned]!',
      to: 'return true',
      means: 'the judge accepts everything',
      tests: [verdictsTest],
    },
    {
      file: judge,
      from: '> logits[this.#unaligned]!',
      to: '> logits[this.#unaligned]! - 3',
      means: 'the judge’s threshold is far too low',
      tests: [verdictsTest],
    },
    {
      file: judge,
      from: '> logits[this.#unaligned]!',
      to: '> logits[this.#unaligned]! + 3',
      means: 'the judge’s threshold is far too high',
      tests: [verdictsTest],
    },
    {
      file: judge,
      from: '! > logits[',
      to: '! < logits[',
      means: 'the judge’s answer is turned round',
      tests: [verdictsTest],
    },
    {
      file: judge,
      from: 'judgePrompt(target, draft)',
      to: 'judgePrompt(draft, target)',
      means: 'the judge hears the two steps the other way round than it was taught',
      tests: [verdictsTest],
    },
    {
      file: likelihood,
      from: 'logprob(scores, token) >= least',
      to: 'logprob(scores, token) > least + 1',
      means: 'the least likelihood that is enough is not',
      tests: [likelihoodTest],
    },
    {
      file: likelihood,
      from: 'place >= 0 && ',
      to: 'place < 0 || ',
      means: 'a token that the device does not show counts as likely',
      tests: [likelihoodTest],
    },
    {
      file: likelihood,
      from: 'beyondIsUnlikely && top',
      to: 'top',
      means: 'what the device does not show counts as unlikely, whatever it may be',
      tests: [likelihoodTest],
    },
    {
      file: likelihood,
      from: 'suffices(top) && tellsLikely',
      to: 'tellsLikely',
      means: 'whole rows are missing where they are drawn from',
      tests: [likelihoodTest],
    },
  ],
}
