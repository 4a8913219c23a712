import type { Area } from '../mutant.ts'

const step = 'gpu-backend/src/engine/text/step.ts'
const output = 'gpu-backend/src/engine/text/output.ts'
const stopStrings = 'gpu-backend/src/engine/text/stop-strings.ts'
const sharedVocabulary = 'gpu-backend/src/engine/text/shared-vocabulary.ts'
const prompt = 'gpu-backend/src/engine/text/prompt.ts'
const commitTest = 'gpu-backend/src/engine/commit.test.ts'
const reductionTest = 'gpu-backend/src/engine/reduction.test.ts'
const thinkingTest = 'gpu-backend/src/server/openai/thinking.test.ts'

export const text: Area = {
  name: 'engine/text',
  mutants: [
    {
      file: step,
      from: 'this.tokens.length >= room',
      to: 'this.tokens.length > room',
      means: 'a step has a token more than there is room for',
      tests: [commitTest],
    },
    {
      file: stopStrings,
      from: 'at < (first?.at ?? Infinity)',
      to: 'at > (first?.at ?? -Infinity)',
      means: 'not the earliest of several stop strings ends the text',
      tests: [commitTest],
    },
    {
      file: output,
      from: 'this.#held.length - this.#stops.begun',
      to: 'this.#held.length - Math.max(0, this.#stops.begun - 1)',
      means: 'the first character of a stop string is sent before it is whole',
      tests: [commitTest],
    },
    {
      file: stopStrings,
      from: 'Math.max(longest, length), 0)',
      to: 'Math.min(1, Math.max(longest, length)), 0)',
      means: 'only the first character of a stop string is held back',
      tests: [commitTest],
    },
    {
      file: output,
      from: '(this.#includeStop ? first.stop.length : 0)',
      to: 'first.stop.length',
      means: 'the stop string is part of the text',
      tests: [commitTest],
    },
    {
      file: output,
      from: '(this.#includeStop ? first.stop.length : 0)',
      to: '0',
      means: 'the stop string is left out though it was asked for',
      tests: [commitTest],
    },
    {
      file: step,
      from: '(this.#open + text).split(delimiter)',
      to: 'text.split(delimiter)',
      means: 'a delimiter spread over two tokens does not end a step',
      tests: [commitTest],
    },
    {
      file: step,
      from: 'this.tokens.length >= cap',
      to: 'this.tokens.length > cap',
      means: 'a step is a token longer than the step cap',
      tests: [commitTest],
    },
    {
      file: step,
      from: "if (endOfText.includes(token)) this.end = 'text'\n    else {",
      to: '{',
      means: 'the end of the text is a token of a step like others',
      tests: [commitTest],
    },
    {
      file: step,
      from: 'this.#stepsLeft -= steps.length',
      to: 'this.#stepsLeft = steps.length > 0 ? 0 : 1',
      means: 'the target writes one step where it was to write several',
      tests: [commitTest],
    },
    {
      file: sharedVocabulary,
      from: 'this.#isWhole ? ofDraft : wholeLogits(ofDraft).subarray(0, this.#size)',
      to: 'ofDraft',
      means: 'a draft of a larger vocabulary says tokens that the target does not know',
      tests: [reductionTest],
    },
    {
      file: prompt,
      from: 'channelsAfter(partial_tag + rendered.slice(same))',
      to: 'channelsAfter(rendered)',
      means: 'a tag in a message decides whether the answer begins with thinking',
      tests: [thinkingTest],
    },
    {
      file: prompt,
      from: 'partial_tag + rendered.slice(same)',
      to: 'rendered.slice(same)',
      means: 'a prompt whose mark shares characters with the next message’s is taken for an answer',
      tests: [thinkingTest],
    },
  ],
}
