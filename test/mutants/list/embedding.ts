import type { Area } from '../mutant.ts'

const inputs = 'gpu-backend/src/model/sentence-inputs.ts'
const encoder = 'gpu-backend/src/model/sentence-encoder.ts'
const graph = 'gpu-backend/src/graph/encoder.ts'
const config = 'gpu-backend/src/checkpoint/encoder-config.ts'
const modules = 'gpu-backend/src/checkpoint/sentence-modules.ts'
const tokens = 'gpu-backend/src/tokenizer/encoder.ts'
const steps = 'gpu-backend/src/tokenizer/steps.ts'
const judging = 'gpu-backend/src/engine/judging/embedding.ts'
const engine = 'gpu-backend/src/engine/engine.ts'
const verifier = 'worker/src/lookahead/verifiers/embedding.ts'
const encoderTest = 'gpu-backend/src/model/sentence-encoder.test.ts'
const stepsTest = 'gpu-backend/src/tokenizer/steps.test.ts'
const engineTest = 'gpu-backend/src/engine/embedding.test.ts'
const verifierTest = 'worker/src/lookahead/verifiers/embedding.test.ts'

export const embedding: Area = {
  name: 'gpu-backend, sentence encoder',
  mutants: [
    {
      file: inputs,
      from: 'const mostDistance = 128',
      to: 'const mostDistance = 127',
      means: 'far distances fall into other buckets',
      tests: [encoderTest],
    },
    {
      file: inputs,
      from: 'distance > 0 ? half',
      to: 'distance < 0 ? half',
      means: 'what comes before a token counts as after it',
      tests: [encoderTest],
    },
    {
      file: inputs,
      from: 'token === MPNET_PADDING ? MPNET_PADDING : ++position',
      to: '++position',
      means: 'padding that a text spells out has a position of its own',
      tests: [encoderTest],
    },
    {
      file: inputs,
      from: 'bias.fill(0, row * T, row * T + length)',
      to: 'bias.fill(0, row * T, row * T + T)',
      means: 'short texts see the padding after them',
      tests: [encoderTest],
    },
    {
      file: graph,
      from: 'rows: { from: 0, count: 1 }',
      to: 'rows: { from: 1, count: 1 }',
      means: 'tokens are of the second type',
      tests: [encoderTest],
    },
    {
      file: graph,
      from: 'Math.sqrt(hiddenSize / heads)',
      to: 'Math.sqrt(hiddenSize)',
      means: 'attention is scaled by the width of all heads',
      tests: [encoderTest],
    },
    {
      file: config,
      from: 'isMPNet ? positions - MPNET_PADDING - 1 : positions',
      to: 'positions',
      means: 'a long text reads beyond the table of positions',
      tests: [encoderTest],
    },
    {
      file: modules,
      from: 'own?.max_seq_length ?? tokenizer',
      to: 'tokenizer',
      means: 'texts are not cut where the checkpoint says',
      tests: [encoderTest],
    },
    {
      file: modules,
      from: 'lowercase: own?.do_lower_case ?? false',
      to: 'lowercase: false',
      means: 'texts are not lowercased where the checkpoint says',
      tests: [encoderTest],
    },
    {
      file: tokens,
      from: 'ids.slice(0, room), ...after]',
      to: 'ids, ...after].slice(0, most)',
      means: 'a text that is cut loses what ends it',
      tests: [encoderTest],
    },
    {
      file: steps,
      from: 'step.strip_accents ?? lowercase',
      to: 'step.strip_accents ?? false',
      means: 'accents stay where nothing is said about them',
      tests: [stepsTest],
    },
    {
      file: encoder,
      from: '    this.#last = result.catch(() => undefined)\n',
      to: '',
      means: 'an encoder is closed under a forward',
      tests: [encoderTest],
    },
    {
      file: encoder,
      from: 'length > 0 ? vector.map((value) => value / length) : vector',
      to: 'vector',
      means: 'embeddings are not normalised',
      tests: [encoderTest],
    },
    {
      file: judging,
      from: 'if (folder !== undefined) await assertSentenceEncoder(folder)',
      to: '',
      means: 'an encoder that does not fit is found after the models are loaded',
      tests: [engineTest],
    },
    {
      file: judging,
      from: 'threshold, leastLogprob, rules })',
      to: 'leastLogprob, rules })',
      means: 'the threshold that was asked for is not heeded',
      tests: [engineTest],
    },
    {
      file: judging,
      from: 'threshold, leastLogprob, rules })',
      to: 'threshold, rules })',
      means: 'what the target finds unlikely is accepted',
      tests: [engineTest],
    },
    {
      file: engine,
      from: '    this.encoder?.close()\n',
      to: '',
      means: 'the encoder stays in memory',
      tests: [engineTest],
    },
    {
      file: verifier,
      from: 'embeddings[2 * i + 1]',
      to: 'embeddings[i + 1]',
      means: 'a step is compared with that of another pair',
      tests: [verifierTest],
    },
    {
      file: verifier,
      from: '>= threshold',
      to: '> threshold',
      means: 'a cosine of just the threshold is not enough',
      tests: [verifierTest],
    },
  ],
}
