/** What `GET /health?details` of the worker says besides its health: for whoever looks for a fault. */
import * as v from 'valibot'
import { Health } from './health.ts'

export const HealthDetails = v.object({
  ...Health.entries,
  /** The worker's. */
  version: v.string(),
  /** The backend's, where it tells. */
  backend_version: v.optional(v.string()),
  /** Where there are several: how each of them is, in the order in which the worker is told of them. */
  backends: v.optional(v.array(v.string())),
  /** From the worker to the backend and back, in milliseconds, where the backend answers. */
  backend_ms: v.optional(v.number()),
})
export type HealthDetails = v.InferOutput<typeof HealthDetails>
