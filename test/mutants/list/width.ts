import type { Area } from '../mutant.ts'

const alternatives = 'gpu-backend/src/engine/decode/alternatives.ts'
const draftAlternatives = 'gpu-backend/src/engine/decode/draft-alternatives.ts'
const draftedChain = 'gpu-backend/src/engine/decode/drafted-chain.ts'
const branch = 'gpu-backend/src/engine/decode/branch.ts'
const drafting = 'gpu-backend/src/engine/decode/drafting.ts'
const verify = 'gpu-backend/src/engine/decode/verify.ts'
const targetStep = 'gpu-backend/src/engine/decode/target-step.ts'
const tree = 'gpu-backend/src/engine/decode/tree.ts'
const noise = 'gpu-backend/src/engine/sampling/noise.ts'
const report = 'worker/src/lookahead/report.ts'
const nativeWire = 'worker/src/upstreams/native-wire.ts'
const runResult = 'sdk/src/run-result.ts'
const widthTest = 'gpu-backend/src/engine/width.test.ts'
const workerTest = 'worker/src/lookahead/width.test.ts'
const runStreamTest = 'sdk/src/run-stream.test.ts'

/** Several steps drafted for one place, across the folders: who writes, rules on, keeps and tells of which. */
export const width: Area = {
  name: 'width',
  mutants: [
    {
      file: alternatives,
      from: 'const ruled = this.all.find(({ ruling }) => ruling?.accepted !== false)',
      to: 'const ruled = this.all.slice(0, 1).find(({ ruling }) => ruling?.accepted !== false)',
      means: 'no other than the first is ever kept',
      tests: [widthTest],
    },
    {
      file: alternatives,
      from: 'this.all.slice(0, known < 0 ? Infinity : known)',
      to: 'this.all',
      means: 'the judge is asked about what comes after an accepted one',
      tests: [widthTest],
    },
    {
      file: alternatives,
      from: ' || seen.some((tokens) => isSame(tokens, whole.tokens))',
      to: '',
      means: 'the same step is ruled on twice',
      tests: [widthTest],
    },
    {
      file: alternatives,
      from: 'const length = Math.min(room.each, left)',
      to: 'const length = room.each',
      means: 'alternatives take slots that there are none of',
      tests: [widthTest],
    },
    {
      file: alternatives,
      from: 'const length = Math.min(room.each, left)',
      to: 'const length = left',
      means: 'an alternative may be longer than the text',
      tests: [widthTest],
    },
    {
      file: alternatives,
      from: '...numbered(number), ',
      to: '',
      means: 'no verdict says which alternative it is about',
      tests: [widthTest],
    },
    {
      file: alternatives,
      from: 'rows.slice(at, (at += leaf.tokens.length))',
      to: 'rows.slice(at, at + leaf.tokens.length)',
      means: 'every alternative is read with the scores of the first',
      tests: [widthTest],
    },
    {
      file: alternatives,
      from: 'i <= this.shared ? ofChain(i) : this.read!.scores[i - this.shared - 1]!',
      to: 'ofChain(i)',
      means: 'an alternative is as likely as the first',
      tests: [widthTest],
    },
    {
      file: draftedChain,
      from: 'const left = { each: room - 1 - starts[i]!,',
      to: 'const left = { each: Infinity,',
      means: 'an alternative that ends the text by its length is ruled on',
      tests: [widthTest],
    },
    {
      file: branch,
      from: 'tree.trim(leaf, Math.min(own.length + accepted, writer.tokens.length - this.agreed))\n',
      to: '\n',
      means: 'what of an alternative the target did not say stands before its next token',
      tests: [widthTest],
    },
    {
      file: targetStep,
      from: 'read.scores, !isWhole))',
      to: 'read.scores, false))',
      means: 'a step that follows a cut alternative to its end stands still',
      tests: [widthTest],
    },
    {
      file: targetStep,
      from: 'isGuess ? this.alternatives.others : []',
      to: '[]',
      means: 'alternatives are no guesses',
      tests: [widthTest],
    },
    {
      file: targetStep,
      from: 'Math.min(this.agreed, ...open.map(({ shared }) => shared))',
      to: 'this.agreed',
      means: 'words are sent that an alternative may yet replace',
      tests: [widthTest],
    },
    {
      file: verify,
      from: 'this.#tree.commit(last.start + accepted.shared, accepted.leaf)',
      to: 'this.#tree.commit(this.#tree.chain.length, accepted.leaf)',
      means: 'the first alternative’s slots are kept before those of the one that was accepted',
      tests: [widthTest],
    },
    {
      file: tree,
      from: 'leaf.on ?? []',
      to: '[]',
      means: 'what an alternative hangs on is not seen where it goes no further',
      tests: [widthTest],
    },
    {
      file: noise,
      from: 'alternative === 0 ? [streams.noise] : [streams.alternative, alternative]',
      to: '[streams.noise]',
      means: 'all alternatives are the same',
      tests: [widthTest],
    },
    {
      file: drafting,
      from: 'return temperature > 0',
      to: 'return temperature >= 0',
      means: 'at temperature 0 there are no alternatives',
      tests: [widthTest],
    },
    {
      file: drafting,
      from: 'while (!(writer.ended && others.open.length === 0) &&',
      to: 'while (!writer.ended &&',
      means: 'alternatives end where the first does',
      tests: [widthTest],
    },
    {
      file: drafting,
      from: 'Math.min(this.#width, fit) - 1',
      to: 'this.#width - 1',
      means: 'the draft writes alternatives that there is no room for',
      tests: [widthTest],
    },
    {
      file: draftAlternatives,
      from: 'this.#tree.drop(branch.leaf)',
      to: 'branch.close()',
      means: 'alternatives keep their slots as long as the draft writes',
      tests: [widthTest],
    },
    {
      file: report,
      from: 'this.#chain.length',
      to: 'steps.length',
      means: 'alternatives count as steps drafted ahead',
      tests: [workerTest],
    },
    {
      file: report,
      from: '...(alternative ? { alternative } : {}), ',
      to: '',
      means: 'events do not tell alternatives apart',
      tests: [workerTest],
    },
    {
      file: nativeWire,
      from: ' && one.alternative === alternative',
      to: '',
      means: 'every verdict is about the first alternative',
      tests: [workerTest],
    },
    {
      file: nativeWire,
      from: 'other.index === index && other.alternative',
      to: 'other.alternative',
      means: 'alternatives are sent for places that they were not drafted for',
      tests: [workerTest],
    },
    {
      file: runResult,
      from: "this.#steps.push({ ...said, fate: 'accepted' })",
      to: "return void this.#steps.push({ ...said, fate: 'accepted' })",
      means: 'a correction is said to replace a step that an alternative replaced',
      tests: [runStreamTest],
    },
  ],
}
