/** What OpenAI-compatible servers say, as far as it is read here: the fields of OpenAI, and vLLM's, SGLang's and llama-server's own. */
import { dictionary } from '@lookahead/sdk/protocol'
import * as v from 'valibot'

const ids = v.nullish(v.array(v.pipe(v.number(), v.integer())))
/** A stop string, a stop token's id, or nothing at the end of the text. */
const stop = v.nullish(v.union([v.string(), v.number()]))

/** A chunk of `POST /v1/completions` with `stream`. */
export const Chunk = v.object({
  choices: v.optional(
    v.array(
      v.object({
        index: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
        text: v.nullish(v.string(), ''),
        finish_reason: v.nullish(v.string()),
        /** vLLM and our own; SGLang; llama-server. */
        stop_reason: stop,
        matched_stop: stop,
        stopping_word: stop,
        token_ids: ids,
        /** llama-server's, which has the ids of tokens in there. */
        logprobs: v.fallback(v.nullish(v.object({ content: v.array(v.object({ id: v.number() })) })), undefined),
      }),
    ),
    [],
  ),
  usage: v.nullish(v.object({ prompt_tokens: v.number(), completion_tokens: v.nullish(v.number()) })),
})

/** An error's words, in the body of a refusal or inside a stream. */
export const Refusal = v.union([
  v.pipe(
    v.object({ error: v.union([v.object({ message: v.string() }), v.string()]) }),
    v.transform(({ error }) => (typeof error === 'string' ? error : error.message)),
  ),
  v.pipe(
    v.object({ object: v.literal('error'), message: v.string() }),
    v.transform(({ message }) => message),
  ),
])

/** `POST /tokenize`, alike in all four. */
export const Tokenized = v.object({ tokens: v.array(v.pipe(v.number(), v.integer())) })

/** `POST /detokenize`: vLLM and our own, SGLang, llama-server. */
export const Detokenized = v.union([
  v.pipe(
    v.object({ prompt: v.string() }),
    v.transform(({ prompt }) => prompt),
  ),
  v.pipe(
    v.object({ text: v.string() }),
    v.transform(({ text }) => text),
  ),
  v.pipe(
    v.object({ content: v.string() }),
    v.transform(({ content }) => content),
  ),
])

/** `POST /apply-template` of llama-server. */
export const Templated = v.object({ prompt: v.string() })

const logprob = v.nullish(v.number())

/** `POST /v1/completions` with `prompt_logprobs`, of vLLM and our own: for each token of the prompt, by token id. */
export const PromptLogprobs = v.object({
  choices: v.tuple([
    v.object({
      prompt_logprobs: v.array(v.nullable(v.record(v.string(), v.object({ logprob })))),
    }),
  ]),
})

/** A log probability (null for the first token of all), a token id, and its text or null. */
const scored = v.looseTuple([v.nullable(v.number()), v.number()])

const candidate = v.object({ token: v.string(), logprob: v.number() })

/** Of one token, whichever they are told as: OpenAI's `top_logprobs` of completions, or llama-server's, which are those of chat. */
const candidates = v.nullish(
  v.union([
    v.pipe(
      v.object({ content: v.array(v.object({ top_logprobs: v.array(candidate) })) }),
      v.transform(({ content }) => content[0]?.top_logprobs ?? []),
    ),
    v.pipe(
      v.object({ top_logprobs: v.array(v.nullable(dictionary(v.nullable(v.number())))) }),
      v.transform(({ top_logprobs: [top] }) =>
        [...(top ?? [])].map(([token, told]) => ({ token, logprob: told ?? -Infinity })),
      ),
    ),
  ]),
)

/** `POST /v1/completions` with `logprobs`, for one token each. */
const RatedChoice = v.pipe(
  v.object({
    index: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
    text: v.nullish(v.string(), ''),
    logprobs: candidates,
  }),
  v.transform(({ index, text, logprobs }) => ({ index, text: text ?? '', candidates: logprobs ?? [] })),
)
export type RatedChoice = v.InferOutput<typeof RatedChoice>
export const Rated = v.object({ choices: v.array(RatedChoice) })

/** `POST /generate` of SGLang with `return_logprob`. */
export const Generated = v.object({
  meta_info: v.object({
    input_token_logprobs: v.array(scored),
    input_top_logprobs: v.array(v.nullable(v.array(scored))),
  }),
})

/** `POST /v1/chat/completions` with `logprobs`. */
export const Answer = v.object({
  choices: v.tuple([
    v.object({
      message: v.object({ content: v.nullish(v.string()) }),
      logprobs: v.nullish(
        v.object({
          content: v.nullish(
            v.array(
              v.object({
                token: v.string(),
                top_logprobs: v.array(v.object({ token: v.string(), logprob: v.number() })),
              }),
            ),
          ),
        }),
      ),
    }),
  ]),
})
