/** How a text ended, and what it took. */
import * as v from 'valibot'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

export const finishReasons = ['stop', 'length'] as const
/** `stop`: end of text or a stop string; `length`: `max_tokens` or the model's context is used up. */
export type FinishReason = (typeof finishReasons)[number]

export const Usage = v.object({
  prompt_tokens: count,
  completion_tokens: count,
  /** Those of `completion_tokens` that are thinking, its tags included. Left out by an engine that does not tell. */
  reasoning_tokens: v.optional(count),
})
export type Usage = v.InferOutput<typeof Usage>
