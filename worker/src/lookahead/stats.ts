import type { DraftEvent, RunStats, VerifyEvent } from '@lookahead/sdk/protocol'

type Done<Event> = Extract<Event, { type: 'done' }>

/** Counts what a run did. */
export class Stats {
  readonly #started = performance.now()
  readonly #counts = {
    cycles: 0,
    drafted_steps: 0,
    accepted_steps: 0,
    output_tokens: 0,
    proposed_tokens: 0,
    accepted_tokens: 0,
    target_forwards: 0,
    draft_ms: 0,
    target_ms: 0,
    judge_ms: 0,
  }

  drafted(steps: number, done: Done<DraftEvent>): void {
    this.#counts.drafted_steps += steps
    this.#counts.draft_ms += done.timings.draft_ms
  }

  verified(accepted: number, done: Done<VerifyEvent>): void {
    const counts = this.#counts
    counts.cycles++
    counts.accepted_steps += accepted
    counts.output_tokens += done.usage.completion_tokens
    counts.proposed_tokens += done.speculation.proposed
    counts.accepted_tokens += done.speculation.accepted
    counts.target_forwards += done.timings.forwards
    counts.draft_ms += done.timings.draft_ms
    counts.target_ms += done.timings.target_ms
    counts.judge_ms += done.timings.judge_ms
  }

  get now(): RunStats {
    return { ...this.#counts, elapsed_ms: performance.now() - this.#started }
  }
}
