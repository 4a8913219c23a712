/**
 * Requests in OpenAI's words with vLLM's extensions. Unknown fields are ignored, as vLLM does; fields that would change
 * the answer and are not supported are refused by name. `null` is as good as leaving a field out.
 */
import { CacheSalt, Seed, TokenIds, list } from '@lookahead/sdk/protocol'
import * as v from 'valibot'
import { MOST_POSITIONS } from '../../engine/speculation/accept.ts'
import { between, count, flag, int, maybe, positive, refused } from './fields.ts'

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
export const Generation = v.object({
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
  /** Only texts of the same salt share what was run of a prompt, so that nobody can tell what others have asked. */
  cache_salt: maybe(CacheSalt),
  /** Guesses per forward at most, by n-gram lookup and by the draft model; 0 is off. Default: `generate`'s. */
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
