import type { FollowEvent, Work } from './upstream.ts'

/**
 * What a cycle took of its engine, phase by phase: its calls' way, drafting, the target, the judge. What held it up besides, as a
 * failed call or a client that reads slowly does, is in none of them, nor is reading the prompt where the engine tells it apart.
 */
export class PhaseTimes {
  /** Milliseconds; undefined: nobody can say, since the engine was away. */
  ms: number | undefined = 0
  /** Whether reading the prompt is left out. */
  tellsPrompt = true

  hear({ type }: Pick<FollowEvent, 'type'>): void {
    if (type === 'away') this.ms = undefined
  }

  /** A call that came after the others of its cycle has ended. */
  worked({ callMs = 0, draftMs = 0, targetMs = 0, judgeMs = 0, promptMs }: Partial<Work>): void {
    this.tellsPrompt &&= promptMs !== undefined
    if (this.ms !== undefined) this.ms += callMs + draftMs + targetMs + judgeMs - (promptMs ?? 0)
  }

  /** A cycle of an engine that goes on by itself, and tells of the time from when it let the text in. */
  followed(work: Work, waitMs: number): void {
    this.ms = 0
    this.worked({ ...work, draftMs: waitMs })
  }
}
