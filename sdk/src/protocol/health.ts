/** What `GET /health` of the worker answers: with 200 when it can serve runs, else with 503. */
import * as v from 'valibot'

export const Health = v.object({
  /** `degraded`: the worker runs, but cannot serve runs now; or, where `backend` is `ok`, without a helper that is away: `?details` says which. */
  status: v.picklist(['ok', 'degraded']),
  /**
   * - `ok`
   * - `loading`, `draining`, `failing`: the backend's own words
   * - `unauthorized`: it refuses the worker's token
   * - `unreachable`: no answer, or none of a backend
   * - `not_configured`: the worker does not know where it is
   *
   * Later workers may know more.
   */
  backend: v.string(),
})
export type Health = v.InferOutput<typeof Health>
