/** What the worker says to apps while a run goes on: the events that answer `POST /v1/runs`. */
import * as v from 'valibot'
import type { Mode } from './mode.ts'
import { openWord } from './open-word.ts'
import { Usage } from './usage.ts'
import type { FinishReason } from './usage.ts'
import { VerdictReason } from './verdict.ts'
import { Verifier } from './verifier.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

const step = {
  /** The step's place in the output, from 0. */
  step: count,
  text: v.string(),
}

const drafted = {
  ...step,
  /** Which of the alternatives for this place, from 1; absent for the first, which the steps drafted after it go on from. */
  alternative: v.optional(count),
}

const ruled = {
  ...drafted,
  reason: VerdictReason,
  /** How probable the judge found it that both steps mean the same, 0 to 1; absent where none was asked, or it does not tell. */
  probability: v.optional(v.number()),
  /** The target's own step, where a judge found that it means the same as the accepted one. */
  target: v.optional(v.string()),
}

/** What went wrong: a code for programs, words for people. */
const trouble = { code: v.string(), message: v.string() }

/** Counters of a run so far. */
export const RunStats = v.object({
  cycles: count,
  /** Steps drafted ahead, however many alternatives there were for each. */
  drafted_steps: count,
  accepted_steps: count,
  output_tokens: count,
  /** Token guesses made and kept inside target steps. */
  proposed_tokens: count,
  accepted_tokens: count,
  target_forwards: count,
  /** Wall time since the run started, and the part spent in each model, in milliseconds. */
  elapsed_ms: v.number(),
  draft_ms: v.number(),
  target_ms: v.number(),
  judge_ms: v.number(),
})
export type RunStats = v.InferOutput<typeof RunStats>

/**
 * Everything a run says. Each event is sent with its `type` as SSE `event:` and an integer `id:` counting from 0;
 * exactly one terminal event (`run.completed` or `run.failed`) comes last.
 * Joining all `text.delta` gives the whole output; the other events tell how it came about. A newer server may send types and
 * words that are not listed here: they are passed on as they are.
 */
export const RunEvent = v.variant('type', [
  v.object({
    type: v.literal('run.started'),
    run_id: v.string(),
    mode: openWord<Mode>(),
    depth: count,
    verifier: Verifier,
  }),
  /** The draft model wrote a step: not output yet. */
  v.object({ type: v.literal('step.drafted'), ...drafted }),
  /** The verifier kept a drafted step. */
  v.object({ type: v.literal('step.accepted'), ...ruled }),
  /** The verifier turned a drafted step down; drafted steps after it are void, and alternatives for its place may still be kept. */
  v.object({ type: v.literal('step.rejected'), ...ruled }),
  /** The target's own step: in place of a rejected one, or after the last accepted one. */
  v.object({ type: v.literal('step.corrected'), ...step }),
  /** Output text. The tags of thinking belong to neither channel. */
  v.object({ type: v.literal('text.delta'), channel: openWord<'reasoning' | 'answer'>(), text: v.string() }),
  /** A helper failed; the run goes on by plain decoding. */
  v.object({
    type: v.literal('run.degraded'),
    part: openWord<'draft' | 'judge'>(),
    ...trouble,
  }),
  /** The target is away or too busy, or a stored run's worker was restarted: the run goes on from what was said, as soon as it can. */
  v.object({ type: v.literal('run.waiting'), ...trouble }),
  v.object({ type: v.literal('run.stats'), stats: RunStats }),
  v.object({
    type: v.literal('run.completed'),
    finish_reason: openWord<FinishReason>(),
    usage: Usage,
    stats: RunStats,
  }),
  v.object({ type: v.literal('run.failed'), ...trouble }),
])
export type RunEvent = v.InferOutput<typeof RunEvent>

export const isTerminal = (event: RunEvent): boolean => event.type === 'run.completed' || event.type === 'run.failed'
