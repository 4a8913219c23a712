/** `POST /v1/chat/completions`. What the model thinks comes apart from its answer, in the field that DeepSeek and SGLang use and in vLLM's. */
import { MAX_MESSAGES, list, parseRequest } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { ChunkEncoder } from './chunk-encoder.ts'
import type { Choices, ChunkOptions } from './chunk-encoder.ts'
import type { Dialect, Encoder, Named } from './dialect.ts'
import {
  ALL_TOKENS,
  NO_TOOLS,
  callsNoTools,
  common,
  flag,
  maybe,
  positive,
  refused,
  textFormat,
  toRun,
  toolEntries,
} from './fields.ts'
import { ChatMessage } from './messages.ts'
import { readModel } from './model-name.ts'

export const ChatRequest = v.pipe(
  v.object({
    ...common,
    ...toolEntries,
    messages: v.pipe(list(MAX_MESSAGES, ChatMessage), v.minLength(1)),
    /** Default: as many as the model has room for. */
    max_completion_tokens: maybe(positive),
    max_tokens: maybe(positive),
    stream_options: maybe(v.object({ include_usage: flag(false) })),
    /** Where thoughts are said; both by default. */
    reasoning_field: v.nullish(v.picklist(['reasoning', 'reasoning_content', 'both']), 'both'),
    response_format: textFormat,
    functions: v.optional(v.unknown()),
    function_call: maybe(v.picklist(['none', 'auto'], 'is not supported: the models call no functions')),
    modalities: maybe(v.array(v.literal('text', 'is not supported: only "text" is'))),
    audio: refused('the models write text'),
    web_search_options: refused('the models search nothing'),
    continue_final_message: refused('use /v1/completions to go on with a text'),
  }),
  v.forward(
    v.check((request) => callsNoTools(request), NO_TOOLS),
    ['tools'],
  ),
  v.forward(
    v.check(({ functions, function_call }) => callsNoTools({ tools: functions, tool_choice: function_call }), NO_TOOLS),
    ['functions'],
  ),
)
export type ChatRequest = v.InferOutput<typeof ChatRequest>

export const chat: Dialect = (body, env) => {
  const request = parseRequest(ChatRequest, body)
  const { name: model, lookahead } = readModel(env, request.model)
  const { messages, stream, stream_options, reasoning_field, max_completion_tokens, max_tokens = ALL_TOKENS } = request
  const run = toRun(request, { messages, max_tokens: max_completion_tokens ?? max_tokens, lookahead })
  return { run, stream, encoder: (named) => chatEncoder(named, { model, stream_options, reasoning_field }) }
}

interface ChatOptions extends ChunkOptions {
  reasoning_field?: ChatRequest['reasoning_field']
}

export function chatEncoder(named: Named, { reasoning_field = 'both', ...options }: ChatOptions): Encoder {
  const thoughts = (text: string | null): object =>
    reasoning_field === 'both' ? { reasoning_content: text, reasoning: text } : { [reasoning_field]: text }
  const choices: Choices = {
    id: 'chatcmpl',
    object: 'chat.completion',
    chunkObject: 'chat.completion.chunk',
    first: { delta: { role: 'assistant', content: '' } },
    text: ({ channel, text }) => ({ delta: channel === 'answer' ? { content: text } : thoughts(text) }),
    last: { delta: {} },
    whole: ({ reasoning, answer }) => ({
      message: { role: 'assistant', content: answer, refusal: null, ...thoughts(reasoning || null) },
    }),
  }
  return new ChunkEncoder(choices, named, options)
}
