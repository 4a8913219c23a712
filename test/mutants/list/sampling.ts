import type { Area } from '../mutant.ts'

const logits = 'gpu-backend/src/engine/sampling/logits.ts'
const noise = 'gpu-backend/src/engine/sampling/noise.ts'
const random = 'gpu-backend/src/engine/sampling/random.ts'
const distribution = 'gpu-backend/src/engine/sampling/distribution.ts'
const commitTest = 'gpu-backend/src/engine/commit.test.ts'
const couplingTest = 'gpu-backend/src/engine/coupling.test.ts'
const samplingTest = 'gpu-backend/src/engine/sampling.test.ts'
const logitsTest = 'gpu-backend/src/engine/sampling/logits.test.ts'

export const sampling: Area = {
  name: 'engine/sampling',
  mutants: [
    {
      file: 'gpu-backend/src/server/wire.ts',
      from: '  topK,\n  topP,\n  minP,\n})',
      to: '  topP,\n  minP,\n})',
      means: "a lookahead request's top-k is dropped",
      tests: [samplingTest],
    },
    {
      file: logits,
      from: 'const tooShort = output.length < minTokens',
      to: 'const tooShort = output.length + 1 < minTokens',
      means: 'an end of text may come one token early under min_tokens',
      tests: [commitTest],
    },
    {
      file: noise,
      from: '...this.#stream, position, token)',
      to: '...this.#stream, token)',
      means: 'all tokens of a text are drawn with the same noise',
      tests: [couplingTest],
    },
    {
      file: noise,
      from: '/ p.probabilities[i]!',
      to: '* p.probabilities[i]!',
      means: 'the unlikelier a token, the sooner it is drawn',
      tests: [samplingTest],
    },
    {
      file: noise,
      from: '-Math.log1p(-new Random(',
      to: '(new Random(',
      means: 'the race for a token is not exponential: likely ones come too often',
      tests: [samplingTest],
    },
    {
      file: random,
      from: 'seed >>> 0, Math.floor(seed / 2 ** 32), ',
      to: 'seed >>> 0, ',
      means: 'of a seed only the lower half counts',
      tests: [couplingTest],
    },
    {
      file: distribution,
      from: 'request.topP ?? generation.topP ?? 1',
      to: 'request.topP ?? 1',
      means: 'the model’s own top-p is ignored',
      tests: [samplingTest],
    },
    {
      file: distribution,
      from: 'request.temperature ?? generation.temperature ?? 1',
      to: 'request.temperature ?? 1',
      means: 'the model’s own temperature is ignored',
      tests: [samplingTest],
    },
    {
      file: distribution,
      from: 'request.topP ?? generation.topP ?? 1',
      to: 'generation.topP ?? 1',
      means: 'the request’s top-p is ignored',
      tests: [samplingTest],
    },
    {
      file: distribution,
      from: 'request.minP ?? generation.minP ?? 0',
      to: 'generation.minP ?? 0',
      means: 'the request’s min-p is ignored',
      tests: [samplingTest],
    },
    {
      file: distribution,
      from: 'request.topK ?? generation.topK ?? 0',
      to: 'generation.topK ?? 0',
      means: 'the request’s top-k is ignored',
      tests: [samplingTest],
    },
    {
      file: distribution,
      from: 'seed: request.seed ?? seed',
      to: 'seed',
      means: 'the request’s seed is ignored',
      tests: [couplingTest],
    },
    {
      file: distribution,
      from: 'reached < mass &&',
      to: 'reached + weights[count]! <= mass &&',
      means: 'the token that reaches top-p is left out',
      tests: [samplingTest],
    },
    {
      file: logits,
      from: 'presencePenalty + frequencyPenalty * count',
      to: 'presencePenalty + frequencyPenalty',
      means: 'the frequency penalty does not grow',
      tests: [logitsTest, samplingTest],
    },
    {
      file: logits,
      from: 'logits[token]! > 0 ? 1 / repetitionPenalty : repetitionPenalty',
      to: '1 / repetitionPenalty',
      means: 'the repetition penalty makes unlikely tokens likelier',
      tests: [logitsTest],
    },
  ],
}
