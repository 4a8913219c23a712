import type { Area } from '../mutant.ts'

const step = 'gpu-backend/src/engine/text/step.ts'
const sentence = 'gpu-backend/src/engine/text/sentence.ts'
const output = 'gpu-backend/src/engine/text/output.ts'
const stopStrings = 'sdk/src/protocol/stop-strings.ts'
const sharedVocabulary = 'gpu-backend/src/engine/text/shared-vocabulary.ts'
const prompt = 'gpu-backend/src/engine/text/prompt.ts'
const commitTest = 'gpu-backend/src/engine/commit.test.ts'
const stepTest = 'gpu-backend/src/engine/text/step.test.ts'
const sentenceTest = 'gpu-backend/src/engine/text/sentence.test.ts'
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
      from: 'if (begin < at ||',
      to: 'if (first < 0 || begin > at ||',
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
      from: 'this.#automaton.lengths[this.#automaton.open(this.#state)]!',
      to: 'Math.min(1, this.#automaton.lengths[this.#automaton.open(this.#state)]!)',
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
      from: 'text.lastIndexOf(delimiter)',
      to: 'text.indexOf(delimiter, from)',
      means: 'a delimiter spread over two tokens does not end a step',
      tests: [commitTest, stepTest],
    },
    {
      file: step,
      from: 'delimiters.some((delimiter) => {',
      to: 'delimiters.slice(0, 1).some((delimiter) => {',
      means: 'only the first of several delimiters counts',
      tests: [stepTest],
    },
    {
      file: step,
      from: ' && /\\S/.test(text.slice(0, end))',
      to: '',
      means: 'blank lines are steps',
      tests: [stepTest],
    },
    {
      file: step,
      from: 'step.tokens >= rules.maxTokens',
      to: 'step.tokens > rules.maxTokens',
      means: 'a step is a token longer than the step cap',
      tests: [commitTest, stepTest],
    },
    {
      file: step,
      from: "endOfText.includes(token) ? 'text' : this.#write(token)",
      to: 'this.#write(token)',
      means: 'the end of the text is a token of a step like others',
      tests: [commitTest, stepTest],
    },
    {
      file: step,
      from: '      this.#finished++\n',
      to: '      this.#finished = 0\n',
      means: 'the target writes on where it was to write several steps',
      tests: [commitTest, stepTest],
    },
    {
      file: step,
      from: '      this.#step = newStep()\n',
      to: '',
      means: 'what the step before was counts for the next, where several are written',
      tests: [stepTest],
    },
    {
      file: step,
      from: "(end === 'delimiter' && isLast)",
      to: "end === 'delimiter'",
      means: 'the target writes one step where it was to write several',
      tests: [commitTest, stepTest],
    },
    {
      file: step,
      from: "const isOver = end === 'text' || (end",
      to: "const isOver = end === 'text' || end === 'cap' || (end",
      means: 'a step for whose rest there was no room passes for one that the cap cut',
      tests: [stepTest],
    },
    {
      file: step,
      from: 'new ChannelSplitter(options.after)',
      to: 'new ChannelSplitter({ thinking: false })',
      means: 'steps of the reasoning are cut like those of the answer',
      tests: [stepTest],
    },
    {
      file: step,
      from: "this.#step.channel ?? (this.#channels.state.thinking ? 'reasoning' : 'answer')",
      to: "this.#channels.state.thinking ? 'reasoning' : 'answer'",
      means: 'where a step ends decides how, not where it begins',
      tests: [stepTest],
    },
    {
      file: step,
      from: 'delimiters.some((delimiter) => text.endsWith(delimiter))',
      to: 'delimiters.some((delimiter) => text.includes(delimiter))',
      means: 'a text with a delimiter in its middle passes for a whole step',
      tests: [stepTest],
    },
    {
      file: sentence,
      from: '(isFollowed || !OPEN.test(before))',
      to: 'true',
      means: 'a sentence ends amid a decimal',
      tests: [sentenceTest, stepTest],
    },
    {
      file: sentence,
      from: '!ABBREVIATED.test(before) && ',
      to: '',
      means: 'a sentence ends with "Mr."',
      tests: [sentenceTest],
    },
    {
      file: sentence,
      from: '!LISTED.test(before) && ',
      to: '',
      means: 'the number of a list’s item is a sentence where white space comes by itself',
      tests: [sentenceTest],
    },
    {
      file: sentence,
      from: '!FACTORIAL.test(before)',
      to: 'true',
      means: 'a sentence ends with a factorial',
      tests: [sentenceTest],
    },
    {
      file: sentence,
      from: '  if (!/[\\p{L}\\p{N}]/u.test(before)) return false\n',
      to: '',
      means: 'marks without a word are a sentence',
      tests: [sentenceTest],
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
