import type { RunStats } from '@lookahead/sdk/protocol'
import type { Commit, Work } from './upstream.ts'

/** Counts what a run did. */
export class Stats {
  readonly #started: number
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

  /** @param before of a run that was begun elsewhere */
  constructor(before?: RunStats) {
    const { elapsed_ms = 0, ...counts } = before ?? {}
    this.#started = performance.now() - elapsed_ms
    Object.assign(this.#counts, counts)
  }

  drafted(steps: number, { draftMs }: Pick<Work, 'draftMs'>): void {
    this.#counts.drafted_steps += steps
    this.#counts.draft_ms += draftMs
  }

  committed({ accepted, tokens }: Commit): void {
    this.#counts.accepted_steps += accepted
    this.#counts.output_tokens += tokens
  }

  /** A cycle has ended. */
  worked(work: Work): void {
    const counts = this.#counts
    counts.cycles++
    counts.proposed_tokens += work.proposed
    counts.accepted_tokens += work.accepted
    counts.target_forwards += work.forwards
    counts.draft_ms += work.draftMs
    counts.target_ms += work.targetMs
    counts.judge_ms += work.judgeMs
  }

  get now(): RunStats {
    return { ...this.#counts, elapsed_ms: performance.now() - this.#started }
  }

  /** As `now`, had that been committed. */
  after({ accepted, tokens }: Commit): RunStats {
    const { now } = this
    return {
      ...now,
      accepted_steps: now.accepted_steps + accepted,
      output_tokens: now.output_tokens + tokens,
    }
  }
}
