import type { Area } from '../mutant.ts'

const backend = (file: string) => `gpu-backend/src/${file}`
const tests = (...files: string[]) => files.map(backend)

/** Faults that were there once, and were reported: words lost, templates unlike Python's, refusals, damage, drains, sockets left open. */
export const reported: Area = {
  name: 'reported',
  mutants: [
    {
      file: backend('tokenizer/jinja/string-methods.ts'),
      from: "strip: ['chars?', (self, chars) => strip(self, optionalText(chars))],",
      to: "strip: ['chars?', (self) => strip(self, undefined)],",
      means: 'strip takes no argument: code loses its indentation',
      tests: tests('tokenizer/jinja/jinja.test.ts'),
    },
    {
      file: backend('tokenizer/jinja/lexer.ts'),
      from: "source.replace(/\\r\\n?/g, '\\n').replace",
      to: 'source.replace',
      means: 'line ends of Windows stay in what a template says',
      tests: tests('tokenizer/jinja/jinja.test.ts'),
    },
    {
      file: backend('server/openai/chat-schemas.ts'),
      from: 'reasoning_content = reasoning, role',
      to: 'reasoning_content, role',
      means: 'thinking that was sent as `reasoning` is lost',
      tests: tests('server/openai/template.test.ts'),
    },
    {
      file: backend('engine/engine.ts'),
      from: ': channelsAfter(prompt)',
      to: ": { thinking: prompt.endsWith('<think>'), after_tag: false, partial_tag: '' }",
      means: 'a prompt that stops inside a block counts as an answer',
      tests: tests('server/openai/thinking.test.ts'),
    },
    {
      file: 'sdk/src/protocol/stop-strings.ts',
      from: 'end <= exempt)',
      to: 'end - stops[ending]!.length < exempt)',
      means: 'a stop string that begins within min_tokens is never seen',
      tests: tests('engine/text/output.test.ts'),
    },
    {
      file: backend('model/model.ts'),
      from: 'await readGenerationConfig(folder, tokenizer.endOfText)',
      to: 'await readGenerationConfig(folder)',
      means: 'what only the tokenizer says ends a text does not',
      tests: tests('model/model.test.ts'),
    },
    {
      file: backend('tokenizer/added-tokens.ts'),
      from: 'if (token.single_word &&',
      to: 'if (false &&',
      means: 'added tokens that are words match inside words',
      tests: tests('tokenizer/steps.test.ts'),
    },
    {
      file: backend('tokenizer/added-tokens.ts'),
      from: 'const space = /\\p{White_Space}/u',
      to: 'const space = /\\s/u',
      means: 'white space is JavaScript’s, not Unicode’s',
      tests: tests('tokenizer/steps.test.ts'),
    },
    {
      file: backend('checkpoint/config.ts'),
      from: 'config.max_window_layers < config.num_hidden_layers',
      to: 'true',
      means: 'a checkpoint is refused whose sliding window is in no layer',
      tests: tests('checkpoint/config.test.ts'),
    },
    {
      file: backend('engine/load-models.ts'),
      from: "roles.includes('judge') ? await readJudgeQuestion(folder('judge')) : undefined",
      to: 'undefined',
      means: 'a judge that cannot judge is seen once all is loaded',
      tests: tests('engine/loading.test.ts'),
    },
    {
      file: 'sdk/src/run-stream.ts',
      from: 'const reader = {}',
      to: 'const reader = (this.#reader ??= {})',
      means: 'a view that was only looked at keeps the result from coming',
      tests: ['sdk/src/reading.test.ts'],
    },
    {
      file: backend('graph/store.ts'),
      from: '!(await isIntact(home, options.signal))',
      to: 'false',
      means: 'damaged weights are served',
      tests: tests('graph/store.test.ts'),
    },
    {
      file: backend('server/deadlines.ts'),
      from: '      if (response.writableLength > 0) response.socket?.destroy()\n',
      to: '',
      means: 'a client that has stopped reading keeps its slots',
      tests: tests('server/hostile.test.ts'),
    },
    {
      file: backend('server/app.ts'),
      from: 'if (draining() && !engine()?.contexts.find(context))',
      to: 'if (draining())',
      means: 'a server that is asked to stop refuses the next cycle of a run',
      tests: tests('server/drain.test.ts'),
    },
    {
      file: 'test/launcher/leash.ts',
      from: 'if (isMainThread) leaveHeir()',
      to: '',
      means: 'SIGKILL of launcher and server leaves workerd behind',
      tests: ['test/launcher/launcher.test.ts'],
    },
  ],
}
