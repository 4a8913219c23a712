import type { Area } from '../mutant.ts'

const length = 'gpu-backend/src/engine/proposers/length.ts'
const speculator = 'gpu-backend/src/engine/proposers/speculator.ts'
const draftModel = 'gpu-backend/src/engine/proposers/draft-model.ts'
const choose = 'gpu-backend/src/engine/proposers/choose.ts'
const step = 'gpu-backend/src/engine/target-step.ts'
const generate = 'gpu-backend/src/engine/generate.ts'
const learning = ['gpu-backend/src/engine/learning.test.ts']
const lengths = ['gpu-backend/src/engine/proposers/length.test.ts', ...learning]

export const speculation: Area = {
  name: 'engine/speculation',
  mutants: [
    {
      file: generate,
      from: 'speculator.observe(guesses.length, accepted)',
      to: 'speculator.observe(guesses.length, guesses.length)',
      means: 'the speculation length learns in a completion that all guesses were right',
      tests: learning,
    },
    {
      file: step,
      from: 'this.#speculator.observe(guesses.length, accepted)',
      to: 'this.#speculator.observe(guesses.length, guesses.length)',
      means: 'the speculation length learns in a verification that all guesses were right',
      tests: learning,
    },
    {
      file: step,
      from: 'this.#speculator.observe(guesses.length, accepted)',
      to: 'this.#speculator.observe(guesses.length, 0)',
      means: 'the speculation length learns that all guesses were wrong',
      tests: learning,
    },
    {
      file: length,
      from: '(i < accepted ? 1 : 0)',
      to: '(i <= accepted ? 1 : 0)',
      means: 'the guess that was wrong counts as right',
      tests: lengths,
    },
    {
      file: length,
      from: 'Math.min(accepted + 1, proposed)',
      to: 'proposed',
      means: 'guesses after a wrong one count as wrong, though nobody judged them',
      tests: lengths,
    },
    {
      file: length,
      from: 'Math.min(2 * this.#patience, PATIENCE[1])',
      to: 'this.#patience',
      means: 'trials of guesses that never help do not become rarer',
      tests: lengths,
    },
    {
      file: length,
      from: 'ifAllWereRight > rival && ++this.#waited > this.#patience',
      to: 'false',
      means: 'guesses that were given up are never tried again',
      tests: lengths,
    },
    {
      file: length,
      from: 'costs.forward(rows, texts * (count + 1))',
      to: 'costs.forward(rows, count + 1)',
      means: 'that other texts share the forward does not make guesses dearer',
      tests: lengths,
    },
    {
      file: length,
      from: 'reached *= rate',
      to: 'reached = rate',
      means: 'a guess counts as likely right even after wrong ones',
      tests: lengths,
    },
    {
      file: length,
      from: ' + count * costs.guess(texts)',
      to: '',
      means: 'guesses count as free of cost',
      tests: lengths,
    },
    {
      file: length,
      from: 'this.#on && gain < rival',
      to: 'this.#on && gain < 0',
      means: 'guesses that do not pay go on',
      tests: lengths,
    },
    {
      file: speculator,
      from: 'this.#spoke = length',
      to: 'this.#spoke ??= length',
      means: 'the proposer that spoke first learns for those after it',
      tests: ['gpu-backend/src/engine/proposers/speculator.test.ts', ...learning],
    },
    {
      file: speculator,
      from: 'if (guesses.length === 0) continue',
      to: 'if (guesses.length === 0) return []',
      means: 'where one proposer has nothing to say, the next is not asked',
      tests: learning,
    },
    {
      file: draftModel,
      from: 'Math.min(same < 0 ? run.length : same, own.length - 1)',
      to: 'Math.min(run.length, own.length - 1)',
      means: 'the draft goes on from its own wrong guesses',
      tests: learning,
    },
    {
      file: draftModel,
      from: 'while (guesses.length < most)',
      to: 'while (guesses.length < Math.min(most, 1))',
      means: 'the draft model never guesses more than one token',
      tests: learning,
    },
    {
      file: choose,
      from: 'if (draft > 0 && engine.draft && decoder === engine.target)',
      to: 'if (draft > 8 && engine.draft && decoder === engine.target)',
      means: 'the draft model is left out where few guesses are asked for',
      tests: learning,
    },
    {
      file: choose,
      from: 'if (drafted) candidates.push',
      to: 'if (drafted && ngram > 0) candidates.push',
      means: 'the drafted step is no guess once the target has said something else',
      tests: learning,
    },
    {
      file: choose,
      from: 'if (seeded) return',
      to: 'if (seeded && draft < 0) return',
      means: 'with a seed the clock decides what is guessed',
      tests: ['gpu-backend/src/engine/generate.test.ts'],
    },
    {
      file: 'gpu-backend/src/engine/proposers/ngram.ts',
      from: 'if (best.length < shortest) return []',
      to: 'if (best.length >= shortest) return []',
      means: 'what stands in the text already is not copied',
      tests: learning,
    },
    {
      file: 'gpu-backend/src/engine/proposers/ngram.ts',
      from: 'corpus.slice(best.end, best.end + ',
      to: 'corpus.slice(best.end - 1, best.end - 1 + ',
      means: 'what is copied from the text begins a token too early',
      tests: learning,
    },
    {
      file: step,
      from: 'guess && drafted ? guess.tokens.map',
      to: 'guess && drafted && ngram > 0 ? guess.tokens.map',
      means: 'drafted tokens are no guesses where no others are',
      tests: learning,
    },
    {
      file: step,
      from: 'lengths: context.lengths',
      to: 'lengths: new (Object.getPrototypeOf(context.lengths).constructor)()',
      means: 'every step learns anew what guesses are worth',
      tests: learning,
    },
    {
      file: 'gpu-backend/src/engine/verify.ts',
      from: 'guess: draft ?? rest',
      to: 'guess: draft',
      means:
        'a drafted step for which there is no room is no guess, unless it ends early: the text is not distributed as without',
      tests: ['gpu-backend/src/engine/drafted-chain.test.ts'],
    },
    {
      file: step,
      from: '.filter(({ token }) => this.writer.push(token))',
      to: '.filter(({ token }) => this.writer.push(token) || true)',
      means: 'guesses after the end of a step count as kept',
      tests: learning,
    },
  ],
}
