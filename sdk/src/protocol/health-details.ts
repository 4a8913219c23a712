/** What `GET /health?details` of the worker says besides its health: for whoever looks for a fault. */
import * as v from 'valibot'
import { Health } from './health.ts'

export const HealthDetails = v.object({
  ...Health.entries,
  /** The worker's. */
  version: v.string(),
  /** What runs are sent to: `native`, our GPU backend, or `openai`, servers that speak OpenAI's API. Older workers do not say. */
  engine: v.optional(v.string()),
  /** The backend's, where it tells. */
  backend_version: v.optional(v.string()),
  /** Where there are several: how each of them is, in the order in which the worker is told of them. */
  backends: v.optional(v.array(v.string())),
  /** From the worker to the backend and back, in milliseconds, where the backend answers. */
  backend_ms: v.optional(v.number()),
  /** Of engines other than our own, where they are set up: how the draft and the judge are, in the words of `backend`. */
  draft: v.optional(v.string()),
  judge: v.optional(v.string()),
  /**
   * Of engines other than our own: what was found so far that they are unable to do. The `target` and the `draft`: `many_prompts`, in one
   * call; `token_ids`, told and taken; `delimiters`, to stop at them and say so; `chat_messages`, to render them; `likelihood`, to score
   * given text; `completions`, to go on with a given text at all. The `judge`: `log_probabilities`, to say how sure it is; `verdicts`, to
   * be asked for any. Later workers may know more.
   */
  lacking: v.optional(v.record(v.string(), v.array(v.string()))),
})
export type HealthDetails = v.InferOutput<typeof HealthDetails>
