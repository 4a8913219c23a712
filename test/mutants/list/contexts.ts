import type { Area } from '../mutant.ts'

const engineContexts = 'gpu-backend/src/engine/contexts.ts'
const commitTest = 'gpu-backend/src/engine/commit.test.ts'
const couplingTest = 'gpu-backend/src/engine/coupling.test.ts'
const leavingTest = 'gpu-backend/src/server/leaving.test.ts'
const appTest = 'gpu-backend/src/server/app.test.ts'

export const contexts: Area = {
  name: 'engine/contexts',
  mutants: [
    {
      file: engineContexts,
      from: 'for (const token of this.tokens.slice(this.promptLength)) output.push(token)\n',
      to: '\n',
      means: 'a stop string that began before a context was restored goes unnoticed',
      tests: [commitTest],
    },
    {
      file: engineContexts,
      from: 'this.#text?.stops !== stops',
      to: '!this.#text',
      means: 'the stop strings of the first call stay those of the text',
      tests: [commitTest],
    },
    {
      file: engineContexts,
      from: 'Math.floor(Math.random() * 2 ** 32)',
      to: '0',
      means: 'all texts without a seed are drawn with the same numbers',
      tests: [couplingTest],
    },
    {
      file: engineContexts,
      from: 'context.active.size === 0 && now',
      to: 'now',
      means: 'a context with a call at work is dropped as idle',
      tests: [leavingTest],
    },
    {
      file: engineContexts,
      from: 'now - context.lastUsed > this.#idleMs',
      to: 'now - context.lastUsed < 0',
      means: 'an idle context is never dropped',
      tests: [leavingTest],
    },
    {
      file: engineContexts,
      from: 'outputLength !== undefined && context.outputLength !== outputLength',
      to: 'outputLength !== undefined && context.outputLength < outputLength',
      means: 'a call goes on from a context that holds more than it knows of',
      tests: [leavingTest],
    },
    {
      file: engineContexts,
      from: 'outputLength !== undefined && context.outputLength !== outputLength',
      to: 'outputLength !== undefined && context.outputLength > outputLength',
      means: 'a call goes on from a context that holds less than it knows of',
      tests: [leavingTest],
    },
    {
      file: engineContexts,
      from: 'if (context.active.has(call))',
      to: 'if (context.active.size > 1)',
      means: 'two verifications are at work on one context',
      tests: [leavingTest],
    },
    {
      file: engineContexts,
      from: 'if (context.active.has(call))',
      to: 'if (context.active.size > 0)',
      means: 'nothing is drafted on a context while it is verified',
      tests: [leavingTest],
    },
    {
      file: engineContexts,
      from: 'if (this.#contexts.get(context.id) === context) this.drop',
      to: 'this.drop',
      means: 'a call that is given up takes the context with it that came in its place',
      tests: [appTest],
    },
  ],
}
