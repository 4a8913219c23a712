import * as v from 'valibot'
import { list } from './lists.ts'

const unit = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** Larger whole numbers are not exact; texts of one request take up to 128 that follow each other. */
export const MAX_SEED = Number.MAX_SAFE_INTEGER - 128

/** Same seed, same request, same text. -1 is none, as clients say that always send one: it is read as undefined. */
export const Seed = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(-MAX_SEED),
  v.maxValue(MAX_SEED),
  v.transform((seed) => (seed === -1 ? undefined : seed)),
)

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
  /** Default: drawn anew for each run. */
  seed: v.optional(Seed),
})
export type Sampling = v.InferOutput<typeof Sampling>

export const Message = v.strictObject({
  role: v.picklist(['system', 'user', 'assistant']),
  content: v.string(),
})
export type Message = v.InferOutput<typeof Message>

/** As vLLM has it. */
export const CacheSalt = v.pipe(v.string(), v.minLength(1), v.maxLength(256))

/** Of one conversation. */
export const MAX_MESSAGES = 4096

/** What the model is asked: chat messages (rendered by the model's template) or a prompt taken as it stands; exactly one. */
export const promptEntries = {
  messages: v.optional(v.pipe(list(MAX_MESSAGES, Message), v.minLength(1))),
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
