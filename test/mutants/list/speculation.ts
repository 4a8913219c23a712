import type { Area } from '../mutant.ts'

const accept = 'gpu-backend/src/engine/speculation/accept.ts'
const draftModel = 'gpu-backend/src/engine/speculation/proposers/draft-model.ts'
const length = 'gpu-backend/src/engine/speculation/length.ts'
const speculator = 'gpu-backend/src/engine/speculation/speculator.ts'
const draftedStep = 'gpu-backend/src/engine/speculation/proposers/drafted-step.ts'
const ngram = 'gpu-backend/src/engine/speculation/proposers/ngram.ts'
const index = 'gpu-backend/src/engine/speculation/proposers/index.ts'
const costs = 'gpu-backend/src/engine/speculation/costs.ts'
const leastSquares = 'gpu-backend/src/engine/speculation/least-squares.ts'
const acceptTest = 'gpu-backend/src/engine/speculation/accept.test.ts'
const lengthTest = 'gpu-backend/src/engine/speculation/length.test.ts'
const learningTest = 'gpu-backend/src/engine/learning.test.ts'
const speculatorTest = 'gpu-backend/src/engine/speculation/speculator.test.ts'
const draftModelTest = 'gpu-backend/src/engine/speculation/proposers/draft-model.test.ts'
const costsTest = 'gpu-backend/src/engine/speculation/costs.test.ts'

export const speculation: Area = {
  name: 'engine/speculation',
  mutants: [
    {
      file: accept,
      from: 'random.next() * q >= probability(target, guess.token)',
      to: 'random.next() >= probability(target, guess.token)',
      means: 'the distribution that a guess was drawn from is ignored when it is judged',
      tests: [acceptTest],
    },
    {
      file: accept,
      from: 'random.next() * q >= probability(target, guess.token)',
      to: 'probability(target, guess.token) === 0',
      means: 'a guess is kept wherever the target could have said it',
      tests: [acceptTest],
    },
    {
      file: accept,
      from: 'sample(residual(target, guess), random.next())',
      to: 'sample(target, random.next())',
      means: 'the token after a rejected guess is drawn as if there had been none',
      tests: [acceptTest],
    },
    {
      file: accept,
      from: '(q ? probability(q, t) : t === token ? 1 : 0)',
      to: '(t === token ? 1 : 0)',
      means: 'after a rejected guess only the guess itself is left out',
      tests: [acceptTest],
    },
    {
      file: accept,
      from: 'bonus ? sample(p(guesses.length), random.next())',
      to: 'bonus ? sample(p(Math.max(0, guesses.length - 1)), random.next())',
      means: 'the token after the guesses is drawn from the scores before the last',
      tests: [acceptTest],
    },
    {
      file: accept,
      from: 'const target = p(i)',
      to: 'const target = p(i && 0)',
      means: 'all guesses are judged by the scores before the first',
      tests: [acceptTest],
    },
    {
      file: draftModel,
      from: '{ token: this.#written.at(-1)!, q: this.#q }',
      to: '{ token: this.#written.at(-1)! }',
      means: 'guesses of the draft count as certain of themselves, so that fewer are kept',
      tests: [acceptTest],
    },
    {
      file: length,
      from: '(i < accepted ? 1 : 0)',
      to: '(i <= accepted ? 1 : 0)',
      means: 'the guess that was wrong counts as right',
      tests: [lengthTest, learningTest],
    },
    {
      file: length,
      from: 'Math.min(accepted + 1, proposed)',
      to: 'proposed',
      means: 'guesses after a wrong one count as wrong, though nobody judged them',
      tests: [lengthTest, learningTest],
    },
    {
      file: length,
      from: 'Math.min(2 * this.#gap, TRIAL_GAP.most)',
      to: 'this.#gap',
      means: 'trials of guesses that never help do not become rarer',
      tests: [lengthTest, learningTest],
    },
    {
      file: length,
      from: 'ifAllWereRight > rival && ++this.#waited > this.#gap',
      to: 'false',
      means: 'guesses that were given up are never tried again',
      tests: [lengthTest, learningTest],
    },
    {
      file: length,
      from: 'costs.forward(rows, texts * (count + 1))',
      to: 'costs.forward(rows, count + 1)',
      means: 'that other texts share the forward does not make guesses dearer',
      tests: [lengthTest, learningTest],
    },
    {
      file: length,
      from: 'reached *= rate',
      to: 'reached = rate',
      means: 'a guess counts as likely right even after wrong ones',
      tests: [lengthTest, learningTest],
    },
    {
      file: length,
      from: ' + count * costs.guess(texts)',
      to: '',
      means: 'guesses count as free of cost',
      tests: [lengthTest, learningTest],
    },
    {
      file: length,
      from: 'this.#on && gain < rival',
      to: 'this.#on && gain < 0',
      means: 'guesses that do not pay go on',
      tests: [lengthTest, learningTest],
    },
    {
      file: speculator,
      from: 'this.#spoke = length',
      to: 'this.#spoke ??= length',
      means: 'the proposer that spoke first learns for those after it',
      tests: [speculatorTest, learningTest],
    },
    {
      file: speculator,
      from: 'if (guesses.length === 0) continue',
      to: 'if (guesses.length === 0) return []',
      means: 'where one proposer has nothing to say, the next is not asked',
      tests: [learningTest],
    },
    {
      file: draftModel,
      from: 'while (guesses.length < most)',
      to: 'while (guesses.length < Math.min(most, 1))',
      means: 'the draft model never guesses more than one token',
      tests: [learningTest],
    },
    {
      file: draftModel,
      from: 'models.draft && runner === models.target ? draft',
      to: 'models.draft && runner === models.target && draft > 8 ? draft',
      means: 'the draft model is left out where few guesses are asked for',
      tests: [learningTest],
    },
    {
      file: draftedStep,
      from: '({ drafted }) => (drafted ? MOST_DRAFTED : 0)',
      to: '({ drafted, ngram }) => (drafted && ngram > 0 ? MOST_DRAFTED : 0)',
      means: 'the drafted step is no guess once the target has said something else',
      tests: [learningTest],
    },
    {
      file: ngram,
      from: 'if (best.length < shortest) return []',
      to: 'if (best.length >= shortest) return []',
      means: 'what stands in the text already is not copied',
      tests: [learningTest],
    },
    {
      file: ngram,
      from: 'corpus.slice(best.end, best.end + ',
      to: 'corpus.slice(best.end - 1, best.end - 1 + ',
      means: 'what is copied from the text begins a token too early',
      tests: [learningTest],
    },
    {
      file: index,
      from: '[draftedStep, ngrams, draftModel]',
      to: '[draftModel, ngrams, draftedStep]',
      means: 'the dearest proposer is asked first',
      tests: [learningTest],
    },
    {
      file: draftModel,
      from: 'this.#failed = true\n',
      to: '\n',
      means: 'a draft model that failed is asked again',
      tests: [draftModelTest],
    },
    {
      file: draftModel,
      from: 'Math.min(most, runner.capacity - sequence.length)',
      to: 'most',
      means: 'the draft guesses beyond what it can read',
      tests: [draftModelTest],
    },
    {
      file: costs,
      from: 'guesses.measured ? guesses.cost(texts, texts) : GUESS * target.cost(1, 1)',
      to: 'GUESS * target.cost(1, 1)',
      means: 'what guesses were measured to cost is ignored',
      tests: [costsTest],
    },
    {
      file: costs,
      from: 'this.measured ? Math.min(took, OUTLIER * this.#costOf(rows, tokens)) : took',
      to: 'took',
      means: 'a forward that was held up changes what all cost',
      tests: [costsTest],
    },
    {
      file: leastSquares,
      from: 'Math.max(0, dot(a, cross(b, y)) / volume)',
      to: 'dot(a, cross(b, y)) / volume',
      means: 'more tokens may be said to cost less',
      tests: [costsTest],
    },
  ],
}
