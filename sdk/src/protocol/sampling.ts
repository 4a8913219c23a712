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

/** Of one message. */
const MAX_PARTS = 1024

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

/** One of many parts of a message, as clients of OpenAI's API have them. */
const TextPart = v.strictObject({
  /** Always `text`: the models read nothing else. */
  type: v.literal('text'),
  /** The part's words. */
  text: v.string(),
})

export const Message = v.strictObject({
  /** `developer` is another word for `system`. */
  role: v.pipe(
    v.picklist(['system', 'developer', 'user', 'assistant']),
    v.transform((role) => (role === 'developer' ? 'system' : role)),
  ),
  /** Text, or parts of type `text`, which are joined. */
  content: v.pipe(
    v.union([v.string(), list(MAX_PARTS, TextPart)], 'must be text, or a list of parts {"type": "text", "text": "…"}'),
    v.transform((content) => (typeof content === 'string' ? content : content.map(({ text }) => text).join(''))),
  ),
})
export type Message = v.InferOutput<typeof Message>

/** As vLLM has it. */
export const CacheSalt = v.pipe(v.string(), v.minLength(1), v.maxLength(256))

/** Of one conversation. */
export const MAX_MESSAGES = 4096

/** What the model is asked: chat messages (rendered by the model's template) or a prompt taken as it stands; exactly one. */
export const promptEntries = {
  /** The conversation so far, which the model's template renders; 1 to 4096. */
  messages: v.optional(v.pipe(list(MAX_MESSAGES, Message), v.minLength(1))),
  /** Text that is gone on with as it stands. */
  prompt: v.optional(v.pipe(v.string(), v.minLength(1))),
}

/** Characters of one stop string: an automaton is made of them all. */
const MAX_STOP = 1024
const stop = v.pipe(v.string(), v.maxLength(MAX_STOP))

export const stopEntries = {
  /**
   * A string that ends the text, or up to 4, of 1,024 characters at most; not part of it. They are looked for in each stretch of the
   * answer between tags of thinking.
   */
  stop: v.optional(
    v.pipe(
      v.union(
        [stop, v.array(v.pipe(stop, v.minLength(1)))],
        `must be a string or a list of strings, of ${MAX_STOP} characters at most`,
      ),
      v.transform((given) => (typeof given !== 'string' ? given : given === '' ? [] : [given])),
      v.maxLength(4, 'has more than 4 entries'),
    ),
    [],
  ),
  /** Looks for `stop` in the whole text, thinking and its tags included. Default false. */
  stop_in_reasoning: v.optional(v.boolean(), false),
}

/** Tokens drawn at most when the request does not say. */
export const DEFAULT_MAX_TOKENS = 1024
