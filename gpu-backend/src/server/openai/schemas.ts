/**
 * Requests in OpenAI's words with vLLM's extensions. Unknown fields are ignored, as vLLM does; fields that would change
 * the answer and are not supported are refused by name. `null` is as good as leaving a field out.
 */
import { CacheSalt, MAX_MESSAGES, Seed, TokenIds, list } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { MOST_POSITIONS } from '../../engine/speculation/accept.ts'
import { dictionary } from '../../dictionary.ts'

const int = v.pipe(v.number(), v.integer())
const count = v.pipe(int, v.minValue(0))
const positive = v.pipe(int, v.minValue(1))
const between = (least: number, most: number) => v.pipe(v.number(), v.minValue(least), v.maxValue(most))
const flag = (fallback: boolean) => v.nullish(v.boolean(), fallback)
const maybe = <Schema extends v.GenericSchema>(schema: Schema) =>
  v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  )

/** A field that must be left out, or say nothing. */
const refused = (why: string) =>
  v.optional(
    v.pipe(
      v.unknown(),
      v.check((value) => saysNothing(value), `is not supported: ${why}`),
    ),
  )
const saysNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === false ||
  value === '' ||
  (Array.isArray(value) && value.length === 0)
const noTools = refused('the models call no tools')
const noGrammar = refused('the output cannot be held to a grammar; leave it out')

const text = v.pipe(v.string(), v.minLength(1))
/** Of one request, for all its prompts. */
export const MAX_TEXTS = 128
/** Every token that is written is held against each of them. */
const stop = v.pipe(text, v.maxLength(1024))
const guesses = v.pipe(count, v.maxValue(MOST_POSITIONS))

/** Numbers from -100 to 100, by token id. A schema for each of a hundred thousand would take too long. */
const bias = v.pipe(
  v.custom<object>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
    'must be an object of numbers by token id',
  ),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const biases = new Map<number, number>()
    for (const [key, value] of Object.entries(dataset.value)) {
      if (!/^\d+$/.test(key) || !(typeof value === 'number' && Math.abs(value) <= 100)) {
        const path = { type: 'object', origin: 'value', input: { ...dataset.value }, key, value } as const
        addIssue({ message: 'must be a number from -100 to 100 for a token id', path: [path] })
        return NEVER
      }
      biases.set(Number(key), value)
    }
    return biases
  }),
)

/** What completions and chat completions have in common. */
const Generation = v.object({
  /** `target` or `draft`. */
  model: v.nullish(v.string(), 'target'),
  /** Texts for each prompt. */
  n: v.nullish(v.pipe(positive, v.maxValue(MAX_TEXTS)), 1),
  stream: flag(false),
  stream_options: maybe(v.object({ include_usage: flag(false), continuous_usage_stats: flag(false) })),
  temperature: maybe(v.pipe(v.number(), v.minValue(0))),
  top_p: maybe(between(0, 1)),
  /** 0 and -1 keep all. */
  top_k: v.pipe(
    maybe(v.pipe(int, v.minValue(-1))),
    v.transform((k) => (k === -1 ? 0 : k)),
  ),
  min_p: maybe(between(0, 1)),
  /** Texts beyond the first take the seeds that follow it. */
  seed: maybe(Seed),
  presence_penalty: v.nullish(between(-2, 2), 0),
  frequency_penalty: v.nullish(between(-2, 2), 0),
  repetition_penalty: maybe(between(0.01, 100)),
  /** By token id. */
  logit_bias: v.nullish(bias, {}),
  stop: v.pipe(
    v.nullish(
      v.union([v.literal(''), stop, list(64, stop)], 'must be a string or up to 64 strings of 1 to 1,024 characters'),
      [],
    ),
    v.transform((stops) => (typeof stops === 'string' ? [stops].filter(Boolean) : stops)),
  ),
  stop_token_ids: v.nullish(TokenIds, []),
  include_stop_str_in_output: flag(false),
  ignore_eos: flag(false),
  min_tokens: v.nullish(count, 0),
  skip_special_tokens: flag(true),
  return_token_ids: flag(false),
  /** Likeliest tokens to show beside each token of the prompt. */
  prompt_logprobs: maybe(v.pipe(count, v.maxValue(20))),
  /** Guesses per forward at most, by n-gram lookup and by the draft model; 0 is off. Default: `generate`'s. */
  /** Only texts of the same salt share what was run of a prompt, so that nobody can tell what others have asked. */
  cache_salt: maybe(CacheSalt),
  speculation: v.nullish(v.strictObject({ ngram: maybe(guesses), draft: maybe(guesses) }), {}),
  response_format: maybe(v.object({ type: v.literal('text', 'is not supported: only "text" is') })),
  tools: noTools,
  functions: noTools,
  structured_outputs: noGrammar,
  guided_json: noGrammar,
  guided_regex: noGrammar,
  guided_choice: noGrammar,
  guided_grammar: noGrammar,
  use_beam_search: refused('tokens are sampled'),
  truncate_prompt_tokens: refused('send the part of the prompt that you mean'),
  bad_words: refused('use logit_bias'),
  allowed_token_ids: refused('use logit_bias'),
  logits_processors: refused('use logit_bias'),
})

export type GenerationRequest = v.InferOutput<typeof Generation>

const tokens = v.pipe(TokenIds, v.minLength(1))

const prompts = <Item extends v.GenericSchema>(item: Item) => v.pipe(list(MAX_TEXTS, item), v.minLength(1))

/** `POST /v1/completions`. */
export const CompletionRequest = v.pipe(
  v.object({
    ...Generation.entries,
    prompt: v.pipe(
      v.union(
        [text, tokens, prompts(text), prompts(tokens)],
        `must be a string, token ids, or up to ${MAX_TEXTS} strings or lists of token ids, none of them empty`,
      ),
      v.transform((prompt): (string | number[])[] => {
        if (typeof prompt === 'string') return [prompt]
        return typeof prompt[0] === 'number' ? [prompt as number[]] : (prompt as string[] | number[][])
      }),
    ),
    max_tokens: v.nullish(count, 16),
    echo: flag(false),
    /** Likeliest tokens to show beside each token. */
    logprobs: maybe(v.pipe(count, v.maxValue(20))),
    add_special_tokens: flag(true),
    best_of: maybe(positive),
    suffix: refused('the models write only at the end'),
    prompt_embeds: refused('send text or token ids'),
  }),
  v.forward(
    v.check(({ best_of, n }) => best_of === undefined || best_of === n, 'is not supported beyond n: ask for n texts'),
    ['best_of'],
  ),
)
export type CompletionRequest = v.InferOutput<typeof CompletionRequest>

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
