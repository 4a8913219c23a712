import type { Area } from '../mutant.ts'

const openai = 'worker/src/routes/openai'
const encoders = `${openai}/encoders.test.ts`
const requests = 'worker/test/openai.test.ts'
const fields = 'worker/test/openai-fields.test.ts'
const aiSdk = 'sdk/src/ai-sdk/ai-sdk.test.ts'
const view = 'sdk/src/react/run-view.test.ts'
const reasoning = 'gpu-backend/src/engine/text/reasoning-tokens.test.ts'

export const dialects: Area = {
  name: 'dialects',
  mutants: [
    {
      file: `${openai}/response-encoder.ts`,
      from: 'sequence_number >= this.#from',
      to: 'sequence_number > this.#from',
      means: 'a reader who comes back misses an event of a response',
      tests: [encoders],
    },
    {
      file: `${openai}/response-encoder.ts`,
      from: "      this.#close('incomplete')\n",
      to: '',
      means: 'a cancelled response is still being written',
      tests: [encoders],
    },
    {
      file: `${openai}/chunk-encoder.ts`,
      from: '    this.#extras = []\n    return data',
      to: '    return data',
      means: 'every chunk tells again what was told before',
      tests: [encoders],
    },
    {
      file: `${openai}/chunk-encoder.ts`,
      from: ' + this.#usage(event) + DONE',
      to: ' + DONE',
      means: 'a stream has no usage',
      tests: [encoders],
    },
    {
      file: `${openai}/chunk-encoder.ts`,
      from: 'rejected_prediction_tokens: proposed - accepted',
      to: 'rejected_prediction_tokens: proposed',
      means: 'accepted guesses are told as rejected too',
      tests: [encoders],
    },
    {
      file: `${openai}/chat.ts`,
      from: "channel === 'answer' ? { content: text } : thoughts(text)",
      to: '{ content: text }',
      means: 'thoughts stand in the answer',
      tests: [encoders],
    },
    {
      file: `${openai}/response-encoder.ts`,
      from: "? [] : [...this.#close('completed'), ",
      to: '? [] : [',
      means: 'the reasoning item of a response never ends',
      tests: [encoders],
    },
    {
      file: `${openai}/response-encoder.ts`,
      from: 'this.#withSteps && isExtra(event)',
      to: 'isExtra(event)',
      means: 'clients that fail at unknown events get them unasked',
      tests: [encoders],
    },
    {
      file: `${openai}/response-encoder.ts`,
      from: "event.finish_reason === 'length' ? 'incomplete' : 'completed'",
      to: "'completed'",
      means: 'the item that the limit has cut is told as complete',
      tests: [encoders],
    },
    {
      file: `${openai}/answer.ts`,
      from: "  if (last?.type === 'run.failed') return failure(last).toResponse()\n",
      to: '',
      means: 'what fails before there is text answers 200',
      tests: [requests],
    },
    {
      file: `${openai}/answer.ts`,
      from: '  return leavable(withoutEmpty(lines()), () => rest.return?.())',
      to: '  return leavable(withoutEmpty(lines()), () => undefined)',
      means: 'a run whose client has left a chat goes on',
      tests: [requests],
    },
    {
      file: `${openai}/fields.ts`,
      from: "tool_choice === 'none' || saysNothing(tools)",
      to: 'saysNothing(tools)',
      means: 'tools that may not be called fail a client',
      tests: [fields],
    },
    {
      file: `${openai}/fields.ts`,
      from: 'top_k === -1 ? 0 : top_k',
      to: 'top_k',
      means: 'a top_k of -1 is refused',
      tests: [fields],
    },
    {
      file: `${openai}/fields.ts`,
      from: '{ ...named, ...lookahead }',
      to: '{ ...lookahead, ...named }',
      means: "a model's name overrules the request",
      tests: [fields],
    },
    {
      file: `${openai}/model-name.ts`,
      from: 'asked.startsWith(`${known}:`)',
      to: 'asked.startsWith(known)',
      means: 'a model is found whose name only begins alike',
      tests: [requests],
    },
    {
      file: `${openai}/messages.ts`,
      from: "(name === 'developer' ? 'system' : name)",
      to: "(name === 'developer' ? 'user' : name)",
      means: 'what the developer says is taken for the user',
      tests: [fields],
    },
    {
      file: 'sdk/src/ai-sdk/language-model.ts',
      from: "        if (made.length === 0) controller.enqueue({ type: 'ping' })\n",
      to: '',
      means: 'a stream of the AI SDK stands still at an event that becomes no part',
      tests: [aiSdk],
    },
    {
      file: 'sdk/src/ai-sdk/language-model.ts',
      from: '    cancel: () => run.cancel(),\n',
      to: '',
      means: 'a stream of the AI SDK that is left goes on at the server',
      tests: [aiSdk],
    },
    {
      file: 'sdk/src/ai-sdk/stream-parts.ts',
      from: 'before.push(...this.#close())',
      to: 'void 0',
      means: 'blocks of reasoning and text of the AI SDK overlap',
      tests: [aiSdk],
    },
    {
      file: 'sdk/src/react/run-view.ts',
      from: "steps: view.steps.filter(({ fate }) => fate !== 'drafted'),",
      to: 'steps: view.steps,',
      means: 'steps that were drafted in vain stay on the page',
      tests: [view],
    },
    {
      file: 'sdk/src/react/run-view.ts',
      from: "before?.fate === 'rejected' ?",
      to: "before?.fate === 'accepted' ?",
      means: 'the page does not show what was turned down',
      tests: [view],
    },
    {
      file: 'gpu-backend/src/engine/text/reasoning-tokens.ts',
      from: 'return before || this.#channels.state.thinking',
      to: 'return this.#channels.state.thinking',
      means: 'the tag that ends the thinking is counted as answer',
      tests: [reasoning],
    },
  ],
}
