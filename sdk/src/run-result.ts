import type { Channel } from './protocol/channels.ts'
import type { OpenWord } from './protocol/open-word.ts'
import type { RunEvent, RunStats } from './protocol/runs.ts'
import type { FinishReason, Usage } from './protocol/usage.ts'
import type { VerdictReason } from './protocol/verdict.ts'

/** One step of the output, and how it got there. */
export interface RunStep {
  /** Its place in the output, from 0. */
  step: number
  text: string
  /** Which of the alternatives drafted for its place was kept, from 1; absent for the first. */
  alternative?: number | undefined
  /** `accepted`: drafted, and kept by the verifier; `corrected`: the target's own. */
  fate: 'accepted' | 'corrected'
  /** Why the verifier kept it, or turned down the drafted step that this one replaced. */
  reason?: VerdictReason
  /** How probable the judge found it that both steps mean the same, 0 to 1; absent where none was asked. */
  probability?: number | undefined
  /** The target's own step, where a judge found that it means the same as this accepted one. */
  target?: string | undefined
  /** The drafted step that this one replaced. */
  rejected?: string
}

/** A completed run. */
export interface RunResult {
  /** The whole output, reasoning and answer as they came. */
  text: string
  reasoning: string
  answer: string
  /** A newer server may have words of its own. */
  finish_reason: OpenWord<FinishReason>
  usage: Usage
  stats: RunStats
  /** What the target writes while nothing is drafted is in none: there are none in the modes `ar` and `sd`, and `auto` may leave places out. */
  steps: RunStep[]
}

type StepEvent = Extract<RunEvent, { step: number }>

/** Gathers what a run's events say into its result. */
export class RunResultBuilder {
  #text = ''
  readonly #channels = { reasoning: '', answer: '' }
  readonly #steps: RunStep[] = []
  #rejected: Partial<RunStep> | undefined

  add(event: RunEvent): void {
    if (event.type === 'text.delta') {
      this.#text += event.text
      if (Object.hasOwn(this.#channels, event.channel)) this.#channels[event.channel as Channel] += event.text
    } else if ('step' in event) this.#addStep(event)
  }

  #addStep({ type, ...said }: StepEvent): void {
    // Of alternatives for its place, the first: another may still be accepted.
    if (type === 'step.rejected') return void (this.#rejected ??= { ...said, rejected: said.text })
    if (type === 'step.drafted') return
    if (type === 'step.accepted') this.#steps.push({ ...said, fate: 'accepted' })
    else this.#steps.push({ ...this.#rejected, ...said, fate: 'corrected' })
    this.#rejected = undefined
  }

  build({ finish_reason, usage, stats }: Extract<RunEvent, { type: 'run.completed' }>): RunResult {
    return { text: this.#text, ...this.#channels, finish_reason, usage, stats, steps: this.#steps }
  }
}
