import type { Area } from '../mutant.ts'

const answers = 'gpu-backend/src/engine/judging/answers.ts'
const ask = 'gpu-backend/src/engine/judging/ask.ts'
const differences = 'gpu-backend/src/engine/judging/differences.ts'
const chat = 'gpu-backend/src/engine/judging/chat-prompt.ts'
const nonThinking = 'gpu-backend/src/engine/judging/non-thinking-prompt.ts'
const prompt = 'gpu-backend/src/engine/judging/judge-prompt.ts'
const scorer = 'gpu-backend/src/engine/judging/scorer.ts'
const likelihood = 'gpu-backend/src/engine/judging/likelihood.ts'
const verdictsTest = 'gpu-backend/src/engine/verdicts.test.ts'
const askTest = 'gpu-backend/src/engine/judging/ask.test.ts'
const chatTest = 'gpu-backend/src/engine/judging/chat-judge.test.ts'
const differencesTest = 'gpu-backend/src/engine/judging/differences.test.ts'
const scorerTest = 'gpu-backend/src/engine/judging/scorer.test.ts'
const likelihoodTest = 'gpu-backend/src/engine/judging/likelihood.test.ts'

export const judging: Area = {
  name: 'engine/judging',
  mutants: [
    {
      file: 'worker/src/lookahead/verifiers/judge.ts',
      from: 'answer > 0.5',
      to: 'true',
      means: 'the judge accepts everything',
      tests: [verdictsTest],
    },
    {
      file: 'worker/src/lookahead/verifiers/judge.ts',
      from: 'answer > 0.5',
      to: 'answer > 0.05',
      means: 'the judge’s threshold is far too low',
      tests: [verdictsTest],
    },
    {
      file: 'worker/src/lookahead/verifiers/judge.ts',
      from: 'answer > 0.5',
      to: 'answer > 0.95',
      means: 'the judge’s threshold is far too high',
      tests: [verdictsTest],
    },
    {
      file: answers,
      from: 'tokens[i] !== token))',
      to: 'tokens[i] === token))',
      means: 'answers are compared where they are still alike',
      tests: [chatTest],
    },
    {
      file: answers,
      from: '...this.#shared]',
      to: ']',
      means: 'the model is not told what its answer begins with',
      tests: [chatTest],
    },
    {
      file: prompt,
      from: 'differences(target, draft)',
      to: 'differences(draft, target)',
      means: 'the judge hears the two steps the other way round than it was taught',
      tests: [verdictsTest],
    },
    {
      file: differences,
      from: 'if (place >= 0) left.splice(place, 1)',
      to: '',
      means: 'what one step says twice and the other once is no difference',
      tests: [differencesTest],
    },
    {
      file: differences,
      from: '(?:[.,:;?!]+(?:\\s+|$)|\\n+|$)',
      to: '(?:\\n+|$)',
      means: 'the judge is told of clauses in another order as of a difference',
      tests: [differencesTest],
    },
    {
      file: differences,
      from: '!known.has(plain) && ',
      to: '',
      means: 'words that both steps have are named as those of one',
      tests: [differencesTest],
    },
    {
      file: differences,
      from: 'wordsBeyond(ofB, ofA)',
      to: 'wordsBeyond(ofA, ofB)',
      means: 'the words of step A are named as those of step B',
      tests: [differencesTest],
    },
    {
      file: chat,
      from: 'steps.slice(Math.max(0, steps.length - count))',
      to: 'steps.slice(0, count)',
      means: 'a judge is told the first steps in place of the last ones',
      tests: [chatTest],
    },
    {
      file: nonThinking,
      from: 'return thinking ?',
      to: 'return false ?',
      means: 'the verdict is asked for in the midst of thinking',
      tests: [chatTest],
    },
    {
      file: nonThinking,
      from: 'addedChannels(tokenizer.renderChat(messages, { variables }), prompt)',
      to: "addedChannels('', prompt)",
      means: 'a tag in a step counts as thinking that the template opens',
      tests: [chatTest],
    },
    {
      file: prompt,
      from: "fenced(said.join('\\n'))",
      to: "said.join('\\n')",
      means: 'a step that spells out marks ends its own turn in the judge’s prompt',
      tests: [chatTest],
    },
    {
      file: scorer,
      from: 'before + step',
      to: 'before',
      means: 'what is rated is not the drafted step but the one before it',
      tests: [scorerTest],
    },
    {
      file: ask,
      from: 'Promise.race([asked, aborted(late)])',
      to: 'asked',
      means: 'a verifier that heeds no signal holds the run up for ever',
      tests: [askTest],
    },
    {
      file: ask,
      from: "rulings[i] ?? rejected('judge')",
      to: "rulings[i] ?? { accepted: true, reason: 'judge' }",
      means: 'what a verifier leaves open is accepted',
      tests: [askTest],
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
