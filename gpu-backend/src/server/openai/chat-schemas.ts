/** Requests that have messages, or may have, as those of `schemas.ts` have a prompt. */
import { MAX_MESSAGES, TokenIds, dictionary, list } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { count, flag, maybe, positive, refused, saysNothing } from './fields.ts'
import { Generation } from './schemas.ts'

const messageContent = v.pipe(
  v.nullish(
    v.union(
      [v.string(), v.array(v.object({ type: v.literal('text'), text: v.string() }))],
      'must be text, or parts of type "text": the models read nothing else',
    ),
    '',
  ),
  v.transform((parts) => (typeof parts === 'string' ? parts : parts.map((part) => part.text).join('\n'))),
)

const Message = v.pipe(
  v.object({
    role: v.pipe(
      v.picklist(['system', 'developer', 'user', 'assistant'], 'must be system, developer, user or assistant'),
      v.transform((role) => (role === 'developer' ? 'system' : role)),
    ),
    content: messageContent,
    reasoning: maybe(v.string()),
    reasoning_content: maybe(v.string()),
    tool_calls: refused('the models call no tools'),
    function_call: refused('the models call no functions'),
  }),
  v.transform(({ reasoning, reasoning_content = reasoning, role, content }) => ({ role, content, reasoning_content })),
)

/** In all variables of a template: documents and tools have some hundreds. */
const MAX_VALUES = 10_000

/** How many values there are in a value, itself included; counted up to one more than `most`. */
function countValues(given: unknown, most: number): number {
  const open = [given]
  let found = 0
  while (open.length > 0 && found <= most) {
    const value = open.pop()
    found++
    if (typeof value !== 'object' || value === null) continue
    // A list of a million is not gone through.
    const inner = Array.isArray(value) ? value.slice(0, most + 1) : Object.values(value)
    for (const item of inner as unknown[]) open.push(item)
  }
  return found
}

const chatEntries = {
  messages: v.pipe(list(MAX_MESSAGES, Message), v.minLength(1)),
  add_generation_prompt: flag(true),
  /** The variable of the template that has this name. */
  enable_thinking: maybe(v.boolean()),
  /** Variables of the template; they win over `enable_thinking`. */
  chat_template_kwargs: v.nullish(
    v.pipe(
      v.unknown(),
      v.check((given) => countValues(given, MAX_VALUES) <= MAX_VALUES, `has more than ${MAX_VALUES} values in all`),
      dictionary(v.unknown()),
    ),
    {},
  ),
  chat_template: refused("the checkpoint's own template is used"),
  documents: refused('put them into a message'),
  continue_final_message: refused('use /v1/completions to go on with a text'),
}

/** What of a request goes to the chat template beside the messages. */
export const templateOptions = ({
  add_generation_prompt: addGenerationPrompt,
  enable_thinking,
  chat_template_kwargs,
}: Pick<ChatRequest, 'add_generation_prompt' | 'enable_thinking' | 'chat_template_kwargs'>) => ({
  addGenerationPrompt,
  variables: { ...(enable_thinking !== undefined && { enable_thinking }), ...Object.fromEntries(chat_template_kwargs) },
})

/** `POST /v1/chat/completions`. */
export const ChatRequest = v.pipe(
  v.object({
    ...Generation.entries,
    ...chatEntries,
    /** Default: as many as the model has room for. */
    max_completion_tokens: maybe(positive),
    max_tokens: maybe(positive),
    logprobs: flag(false),
    top_logprobs: maybe(v.pipe(count, v.maxValue(20))),
    /** Looks for `stop` in the whole text, thinking and its tags included. */
    stop_in_reasoning: flag(false),
    echo: refused('it is for /v1/completions'),
    tools: v.optional(v.unknown()),
    tool_choice: maybe(v.picklist(['none', 'auto'], 'is not supported: the models call no tools')),
    functions: v.optional(v.unknown()),
    function_call: maybe(v.picklist(['none', 'auto'], 'is not supported: the models call no functions')),
    modalities: maybe(v.array(v.literal('text', 'is not supported: only "text" is'))),
    audio: refused('the models write text'),
  }),
  v.forward(
    v.check(({ logprobs, top_logprobs }) => logprobs || !top_logprobs, 'needs "logprobs": true'),
    ['top_logprobs'],
  ),
  // Tools that may not be called change nothing.
  v.forward(
    v.check(
      ({ tools, tool_choice }) => tool_choice === 'none' || saysNothing(tools),
      'is not supported: the models call no tools; leave it out, or set "tool_choice": "none"',
    ),
    ['tools'],
  ),
  v.forward(
    v.check(
      ({ functions, function_call }) => function_call === 'none' || saysNothing(functions),
      'is not supported: the models call no functions; leave it out, or set "function_call": "none"',
    ),
    ['functions'],
  ),
)
export type ChatRequest = v.InferOutput<typeof ChatRequest>

/** `POST /tokenize`: exactly one of `prompt` and `messages`. */
export const TokenizeRequest = v.pipe(
  v.object({
    ...chatEntries,
    model: Generation.entries.model,
    prompt: maybe(v.string()),
    messages: maybe(chatEntries.messages),
    /** Default: as the completion endpoints do, true for a prompt and false for messages. */
    add_special_tokens: maybe(v.boolean()),
  }),
  v.check(
    ({ prompt, messages }) => (prompt === undefined) !== (messages === undefined),
    'give exactly one of prompt or messages',
  ),
)

/** `POST /detokenize`. */
export const DetokenizeRequest = v.object({ model: Generation.entries.model, tokens: TokenIds })
