/** What `GET /v1/models` answers: at the worker the model that can be asked, by each of its names; at the backend all models. */
import * as v from 'valibot'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

export const Models = v.object({
  object: v.literal('list'),
  data: v.array(
    v.object({
      id: v.string(),
      object: v.literal('model'),
      created: v.number(),
      owned_by: v.string(),
      role: v.picklist(['target', 'draft', 'judge']),
      parameters: count,
      max_model_len: count,
    }),
  ),
})
export type Models = v.InferOutput<typeof Models>
