import type { Area } from '../mutant.ts'

const openai = (file: string) => `worker/src/upstreams/openai/${file}.ts`
const aheadTest = 'worker/test/engines-ahead.test.ts'
const awayTest = 'worker/test/engines-away.test.ts'
const contextTest = 'worker/test/engines-context.test.ts'
const enginesTest = 'worker/test/engines.test.ts'
const serverTest = 'worker/src/upstreams/openai/server.test.ts'

/** Engines that are not ours: several steps drafted for one place, steps that the target rates, and what each engine can do. */
export const otherEngines: Area = {
  name: 'other engines',
  mutants: [
    {
      file: openai('alternatives'),
      from: 'if (at !== 0) break',
      to: 'if (at < 0) break',
      means: 'what was drafted after the first alternative stands after another',
      tests: [aheadTest],
    },
    {
      file: openai('alternatives'),
      from: "new Set(['', first.text])",
      to: "new Set([''])",
      means: 'an alternative may be the first over again',
      tests: [aheadTest],
    },
    {
      file: openai('alternatives'),
      from: 'position + round * SEED_OFFSET',
      to: 'position',
      means: 'with a seed all alternatives are drawn alike',
      tests: [aheadTest],
    },
    {
      file: openai('verify'),
      from: 'if (number > 0) return opinion(verifier, step, await scoresOf(place, before, [step], signal))\n',
      to: '',
      means: 'an alternative is judged by the scores of the first',
      tests: [aheadTest],
    },
    {
      file: openai('rating'),
      from: '.toSorted(([, a], [, b]) => b - a)',
      to: '.toSorted(([, a], [, b]) => a - b)',
      means: 'the least likely digit counts',
      tests: [aheadTest],
    },
    {
      file: openai('prompt'),
      from: 'return tokens.length > 0 ? tokens : undefined',
      to: 'return tokens',
      means: 'messages never reach a llama-server',
      tests: [enginesTest],
    },
    {
      file: openai('server'),
      from: '...(logprobs && { logprobs: 1 }),',
      to: '',
      means: 'a llama-server is never asked for ids',
      tests: [enginesTest],
    },
    {
      file: openai('door'),
      from: 'this.#addresses.hasOther ? Math.min(this.#patienceMs, left) : left',
      to: 'left',
      means: 'a server that never answers costs all of the patience, though there is another',
      tests: [enginesTest],
    },
    {
      file: openai('door'),
      from: 'if (Date.now() + ms >= started + waitMs) throw forGood(error)',
      to: '',
      means: 'a run waits for ever for a target that is away',
      tests: [serverTest],
    },
    {
      file: openai('room'),
      from: 'maxTokens = Math.floor(maxTokens / 2)',
      to: 'maxTokens = 0',
      means: 'a text fails near the end of a context that the engine does not tell',
      tests: [contextTest],
    },
    {
      file: openai('session'),
      from: 'Math.min(maxTokens, room)',
      to: 'maxTokens',
      means: 'a text that fills the context is drafted on',
      tests: [contextTest],
    },
    {
      file: openai('verify'),
      from: 'const kept = fitting(stands, () => undefined, turn.room)',
      to: 'const kept = stands.length',
      means: 'drafted steps that the target finds likely stand beyond the tokens that were asked for',
      tests: [contextTest],
    },
    {
      file: openai('server'),
      from: '((seed % SEEDS) + offset + SEEDS) % SEEDS',
      to: 'seed + offset',
      means: 'a seed comes to be -1, which is none',
      tests: [awayTest],
    },
    {
      file: openai('told'),
      from: 'heard.tokens > this.#maxTokens || ',
      to: '',
      means: 'an engine that leaves max_tokens unread is read on',
      tests: [serverTest],
    },
    {
      file: openai('told'),
      from: ' || heard.characters > this.#maxTokens * TOKEN_CHARACTERS',
      to: '',
      means: 'an engine that tells no ids, and never ends, is read on',
      tests: [serverTest],
    },
    {
      file: openai('told'),
      from: 'if (!heard) return false',
      to: 'if (!heard) return true',
      means: 'what comes after the end of a text is part of it',
      tests: [serverTest],
    },
    {
      file: openai('server'),
      from: 'left = pieces.some(isProgress) ? this.#timeoutMs : Math.max(1, left - (Date.now() - asked))',
      to: 'left = this.#timeoutMs',
      means: 'chunks that say nothing keep a call open for ever',
      tests: [serverTest],
    },
    {
      file: openai('server'),
      from: '{ ...extended(writing), ...this.salted }',
      to: 'extended(writing)',
      means: 'a key can tell from times what another has asked of a vLLM',
      tests: [enginesTest],
    },
    {
      file: openai('scores'),
      from: 'extra_key: server.salted.cache_salt,',
      to: '',
      means: 'a key can tell from times what another has had scored by an SGLang',
      tests: [enginesTest],
    },
  ],
}
