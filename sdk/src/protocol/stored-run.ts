/** What `GET /v1/runs/{id}` says of a stored run. */
import * as v from 'valibot'
import { openWord } from './open-word.ts'
import { Usage } from './usage.ts'
import type { FinishReason } from './usage.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

export const StoredRun = v.object({
  id: v.string(),
  object: v.literal('run'),
  status: openWord<'running' | 'completed' | 'failed' | 'cancelled'>(),
  /** Seconds since 1970. */
  created_at: count,
  /** When it is deleted, in seconds since 1970; of a run that is over. */
  expires_at: v.nullable(count),
  /** Of the events so far: `starting_after` it there are none yet. */
  last_event_id: count,
  /** Output so far. */
  reasoning: v.string(),
  answer: v.string(),
  /** Of a completed run. */
  finish_reason: v.nullable(openWord<FinishReason>()),
  usage: v.nullable(Usage),
  /** Of a run that failed or was cancelled. */
  error: v.nullable(v.object({ code: v.string(), message: v.string() })),
})
export type StoredRun = v.InferOutput<typeof StoredRun>
