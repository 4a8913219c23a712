import * as v from 'valibot'

const unit = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** Larger whole numbers are not exact; texts of one request take up to 128 that follow each other. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER - 128

/** How tokens are drawn. What is left out takes the model's own `generation_config.json`, then the neutral value. */
export const Sampling = v.strictObject({
  /** 0 is greedy. Neutral: 1. */
  temperature: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
  /** Keeps the k likeliest tokens; 0 keeps all. Neutral: 0. */
  top_k: v.optional(count),
  /** Keeps the likeliest tokens whose probabilities reach this sum. Neutral: 1. */
  top_p: v.optional(unit),
  /** Keeps tokens at least this fraction as likely as the likeliest. Neutral: 0. */
  min_p: v.optional(unit),
  /** Same seed, same request, same text. Default: drawn anew for each run. */
  seed: v.optional(v.pipe(count, v.maxValue(MAX_SEED))),
})
export type Sampling = v.InferOutput<typeof Sampling>

export const Message = v.strictObject({
  role: v.picklist(['system', 'user', 'assistant']),
  content: v.string(),
})
export type Message = v.InferOutput<typeof Message>

/** What the model is asked: chat messages (rendered by the model's template) or a prompt taken as it stands; exactly one. */
export const promptEntries = {
  messages: v.optional(v.pipe(v.array(Message), v.minLength(1))),
  prompt: v.optional(v.pipe(v.string(), v.minLength(1))),
}

export const stopEntries = {
  /** Strings that end the text; not part of it. At most 4. They are looked for in each stretch of the answer between tags of thinking. */
  stop: v.optional(v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.maxLength(4)), []),
  /** Looks for `stop` in the whole text, thinking and its tags included. Default false. */
  stop_in_reasoning: v.optional(v.boolean(), false),
}

/** Tokens drawn at most when the request does not say. */
export const DEFAULT_MAX_TOKENS = 1024

export const finishReasons = ['stop', 'length'] as const
export const FinishReason = v.picklist(finishReasons)
/** `stop`: end of text or a stop string; `length`: `max_tokens` or the model's context is used up. */
export type FinishReason = v.InferOutput<typeof FinishReason>

export const Usage = v.object({ prompt_tokens: count, completion_tokens: count })
export type Usage = v.InferOutput<typeof Usage>

export const verifiers = ['judge', 'exact'] as const
export const Verifier = v.picklist(verifiers)
/** `judge`: a model compares meanings; `exact`: token for token. */
export type Verifier = v.InferOutput<typeof Verifier>
