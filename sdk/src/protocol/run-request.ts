/** What apps ask of the worker: the body of `POST /v1/runs`. Apart from the events, since clients ship only those. */
import * as v from 'valibot'
import { Mode } from './runs.ts'
import { DEFAULT_MAX_TOKENS, Sampling, promptEntries, stopEntries } from './sampling.ts'
import { Verifier } from './verifier.ts'

export const RunRequest = v.pipe(
  v.strictObject({
    ...promptEntries,
    sampling: v.optional(Sampling, {}),
    /** Output tokens at most. Default 1024. */
    max_tokens: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), DEFAULT_MAX_TOKENS),
    ...stopEntries,
    lookahead: v.optional(
      v.strictObject({
        mode: v.optional(Mode, 'lr+sd'),
        /** Steps drafted ahead at most (γ1), 1 to 16. Default 8. */
        depth: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16)), 8),
        /**
         * Drafts fewer steps, or none for a while, where measured acceptance and cost say so. Which drafted steps the text
         * takes then depends on timing, so the default is true only without a seed.
         */
        adaptive: v.optional(v.boolean()),
        verifier: v.optional(Verifier, 'judge'),
      }),
      {},
    ),
  }),
  v.check(
    (run) => (run.messages === undefined) !== (run.prompt === undefined),
    'give exactly one of messages or prompt',
  ),
)
export type RunRequest = v.InferOutput<typeof RunRequest>
export type RunRequestInput = v.InferInput<typeof RunRequest>
