import type { Area } from '../mutant.ts'

const openai = (file: string) => `worker/src/upstreams/openai/${file}.ts`
const aheadTest = 'worker/test/engines-ahead.test.ts'
const awayTest = 'worker/test/engines-away.test.ts'
const contextTest = 'worker/test/engines-context.test.ts'
const enginesTest = 'worker/test/engines.test.ts'
const healthTest = 'worker/test/health-engine.test.ts'
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
      from: 'if (number > 0) return opinion(verifier, step, await scoresOf(state, before, [step], signal))\n',
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
      file: openai('transport'),
      from: 'this.#addresses.hasOther ? Math.min(this.#patienceMs, left) : left',
      to: 'left',
      means: 'a server that never answers costs all of the patience, though there is another',
      tests: [enginesTest],
    },
    {
      file: openai('transport'),
      from: 'if (Date.now() + ms >= started + waitMs) throw asFinal(error)',
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
      from: 'const kept = fitting(stands, () => undefined, builder.room)',
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
      file: openai('stream-check'),
      from: 'counts.tokens > this.#maxTokens || ',
      to: '',
      means: 'an engine that leaves max_tokens unread is read on',
      tests: [serverTest],
    },
    {
      file: openai('stream-check'),
      from: ' || counts.characters > this.#maxTokens * TOKEN_CHARACTERS',
      to: '',
      means: 'an engine that tells no ids, and never ends, is read on',
      tests: [serverTest],
    },
    {
      file: openai('stream-check'),
      from: 'if (!counts) return false',
      to: 'if (!counts) return true',
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
    {
      file: openai('capabilities'),
      from: '    known.set(key, Promise.resolve(can))\n',
      to: '    void can\n',
      means: 'what was found out behind an answer of health, the first run finds out again',
      tests: [healthTest],
    },
    {
      file: openai('engine'),
      from: "role === 'judge' ? answer.status < 500 : ",
      to: '',
      means: 'a judge that lists no models counts as away',
      tests: [healthTest],
    },
    {
      file: 'worker/src/routes/health.ts',
      from: '[backend, draft, judge]',
      to: '[backend]',
      means: 'a worker whose draft or judge is away counts as well',
      tests: [healthTest],
    },
  ],
}
